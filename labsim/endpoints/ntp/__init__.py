"""The time of the plant over NTP, as a time server of the site gives it."""
