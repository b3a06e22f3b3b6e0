"""FindServers and GetEndpoints (OPC 10000-4 §5.5), and the descriptions they and CreateSession give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from asyncua import ua

from labsim.endpoints.opcua.core.policy import NONE, secret_policy, security_level
from labsim.endpoints.opcua.core.request import Request

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server

UA_TCP = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"
PRODUCT_URI = "urn:labsim"
ANONYMOUS, USER_NAME, PLAIN_USER_NAME, CERTIFICATE = "anonymous", "username", "username-plain", "certificate"
"""PolicyIds of the user token policies."""


def find_servers(request: Request, message: Any) -> Any:
    """FindServers (OPC 10000-4 §5.5.2): this server alone."""
    asked, response = message.Parameters, ua.FindServersResponse()
    if not asked.ServerUris or request.server.uri in asked.ServerUris:
        response.Servers = [describe_application(request.server, asked.EndpointUrl)]
    return response


def get_endpoints(request: Request, message: Any) -> Any:
    """GetEndpoints (OPC 10000-4 §5.5.4)."""
    asked, response = message.Parameters, ua.GetEndpointsResponse()
    if not asked.ProfileUris or UA_TCP in asked.ProfileUris:
        response.Endpoints = describe_endpoints(request.server, asked.EndpointUrl)
    return response


def reachable_url(server: Server, asked: str | None) -> str:
    """Our URL with the host the client used, which may be a name or a translated address that only it knows."""
    try:
        host = urlsplit(asked or "").hostname
    except ValueError:
        host = None
    host = host or server.host
    return f"opc.tcp://{f'[{host}]' if ':' in host else host}:{server.port}"


def describe_application(server: Server, asked_url: str | None) -> Any:
    """The ApplicationDescription (OPC 10000-4 §7.2)."""
    described = ua.ApplicationDescription()
    described.ApplicationUri, described.ProductUri = server.uri, PRODUCT_URI
    described.ApplicationName = ua.LocalizedText(server.name, "en")
    described.ApplicationType = ua.ApplicationType.Server
    described.DiscoveryUrls = [reachable_url(server, asked_url)]
    return described


def describe_endpoints(server: Server, asked_url: str | None, certificate: bool = True) -> list[Any]:
    """EndpointDescriptions (OPC 10000-4 §7.14), the weakest first; ``certificate`` whether they hold it."""
    found = []
    for security in sorted(server.security, key=security_level):
        uri, mode = security
        endpoint = ua.EndpointDescription()
        endpoint.EndpointUrl = reachable_url(server, asked_url)
        endpoint.Server = describe_application(server, asked_url)
        endpoint.ServerCertificate = server.pki.own.der if certificate else None
        endpoint.SecurityMode, endpoint.SecurityPolicyUri = ua.MessageSecurityMode(mode), uri
        endpoint.TransportProfileUri, endpoint.SecurityLevel = UA_TCP, security_level(security)
        endpoint.UserIdentityTokens = _token_policies(server, uri)
        found.append(endpoint)
    return found


def _token_policies(server: Server, uri: str) -> list[Any]:
    """UserTokenPolicies (OPC 10000-4 §7.41); the password is always encrypted, unless plain ones are allowed."""
    found = []
    if server.accounts.anonymous is not None:
        found.append(ua.UserTokenPolicy(ANONYMOUS, ua.UserTokenType.Anonymous, None, None, None))
    if server.accounts:
        found.append(ua.UserTokenPolicy(USER_NAME, ua.UserTokenType.UserName, None, None, secret_policy(uri)))
        if server.plain_passwords:
            found.append(ua.UserTokenPolicy(PLAIN_USER_NAME, ua.UserTokenType.UserName, None, None, NONE))
    if server.accounts.certified is not None:
        found.append(ua.UserTokenPolicy(CERTIFICATE, ua.UserTokenType.Certificate, None, None, secret_policy(uri)))
    return found
