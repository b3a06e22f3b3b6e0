"""The screens: catalogue, briefing, lab, verdict, and the dialogs they open."""
