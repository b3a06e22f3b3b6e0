"""The look: one quiet dark palette with a single accent; outcome colours only where an outcome is."""

from __future__ import annotations

from textual.theme import Theme

LABSIM = Theme(
    name="labsim",
    primary="#6cb6c1",
    secondary="#8fa3b8",
    accent="#6cb6c1",
    success="#8cc084",
    warning="#dcae68",
    error="#e58074",
    foreground="#d6dee7",
    background="#0f141a",
    surface="#131a22",
    panel="#1b2530",
    dark=True,
    variables={
        "border": "#6cb6c1",
        "border-blurred": "#2b3a48",
        "block-cursor-background": "#1c3039",
        "block-cursor-foreground": "#e8f0f5",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#182129",
        "block-cursor-blurred-foreground": "#d6dee7",
        "block-cursor-blurred-text-style": "none",
        "block-hover-background": "#1a2630",
        "input-cursor-background": "#d6dee7",
        "scrollbar": "#2b3a48",
        "scrollbar-hover": "#3a4d5e",
        "scrollbar-active": "#6cb6c1",
        "scrollbar-background": "#0f141a",
        "scrollbar-background-hover": "#0f141a",
        "scrollbar-background-active": "#0f141a",
        "scrollbar-corner-color": "#0f141a",
    },
)
