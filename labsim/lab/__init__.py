"""One running lab: the host that builds plant and endpoints, keeps the attempt and serves the control API."""
