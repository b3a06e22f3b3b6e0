"""What a server grants; shown in ServerCapabilities (OPC 10000-5 §6.3.2) and enforced."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Limits:
    """Limits of one server; times in the unit of their name, all counts inclusive."""

    receive_buffer: int = 65_535
    send_buffer: int = 65_535
    max_chunks: int = 64
    max_message: int = 1024 * 1024
    max_connections: int = 100
    max_requests_per_s: float = 0.0  # of one connection; 0 for no limit
    max_wrong_logins: int = 10  # of one host
    wrong_login_window_s: float = 60.0
    max_sessions: int = 50
    max_unactivated_sessions: int = 10
    channel_within_s: float = 5.0
    min_session_ms: float = 10_000.0
    max_session_ms: float = 3_600_000.0
    min_token_ms: int = 10_000
    max_token_ms: int = 3_600_000
    max_nodes_per_read: int = 1000
    max_nodes_per_write: int = 1000
    max_nodes_per_browse: int = 1000
    max_nodes_per_translate: int = 1000
    max_nodes_per_register: int = 1000
    max_calls_per_request: int = 100
    max_items_per_call: int = 1000
    max_nodes_per_history_read: int = 100
    max_history_values: int = 10_000
    max_history_points: int = 20
    max_references_per_node: int = 1000
    max_browse_points: int = 20
    max_array: int = 65_536
    max_string: int = 65_536
    max_subscriptions_per_session: int = 20
    max_subscriptions: int = 200
    max_items_per_subscription: int = 5000
    max_items: int = 100_000  # of all subscriptions together
    max_queue: int = 1000
    max_publish_requests: int = 20
    max_retransmit: int = 40
    max_notifications: int = 5000
    min_publishing_ms: float = 50.0
    max_publishing_ms: float = 3_600_000.0
    min_sampling_ms: float = 50.0
    max_sampling_ms: float = 3_600_000.0
    max_keepalive: int = 10_000
    max_lifetime: int = 60_000
