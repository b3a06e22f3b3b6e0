"""A vibration transmitter on the bearing of a motor."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from devices.vibration_transmitter.bearing import blows, pass_frequency, ringing
from labsim.plant.device import Device

RATE_HZ, SAMPLES = 5120.0, 2048
CAPTURE_S = 1.0
CLIP = 16 * 9.80665
"""The accelerometer's range, m/s²."""
UNBALANCE = np.array([1.0, 0.8, 0.2])
MISALIGNMENT = np.array([0.5, 0.5, 1.0])
BEARING = np.array([1.0, 0.9, 0.4])
"""How much of each cause an axis shows."""
NOISE = 0.25
STANDING_NOISE = 0.02
BLOW = 90.0
"""Highest acceleration of a blow when the damage is 100 %, m/s²."""
ROUGHNESS = 5.0
"""Velocity at the pass frequency when the damage is 100 %, mm/s RMS; it comes late, with the square of the damage."""
HEAT_K, FRICTION_K = 22.0, 30.0
ZONES = (1.12, 2.8, 7.1)
"""Ends of the zones A, B and C for machines of 15 to 75 kW, mm/s RMS (ISO 10816-1)."""
_HZ = np.fft.rfftfreq(SAMPLES, 1 / RATE_HZ)
_WINDOW = np.hanning(SAMPLES)
_ENERGY = float(np.sum(_WINDOW**2)) * SAMPLES
_BAND = (_HZ >= 10) & (_HZ <= 1000)
_TO_VELOCITY = np.where(_BAND, 1000 / (2 * np.pi * np.where(_BAND, _HZ, 1.0)), 0.0)
_HIGH = _HZ > 1000
_LOW = (_HZ >= 5) & (_HZ <= 600)
_TIME = np.arange(SAMPLES) / RATE_HZ


class VibrationTransmitter(Device):
    """See README.md of this folder for the model and its sources."""

    def start(self) -> None:
        """A cool bearing with the damage of the settings."""
        self._ringing = ringing(RATE_HZ)
        self._temperature = float(self.settings["ambient_temperature"])
        self._shaft_hz = 0.0
        self._since_capture = 0.0
        self.configured("defect")
        self["serial_number"] = int(self.serial)
        self["temperature"] = self._temperature

    def configured(self, name: str) -> None:
        """A new damage replaces what has grown."""
        if name == "defect":
            self._defect = float(self.settings["defect"]) / 100

    def step(self, dt: float) -> None:
        """Turn, wear and warm up; once a second capture a waveform."""
        target = float(self.settings["speed"]) / 60 if self.settings["running"] else 0.0
        self._shaft_hz += (target - self._shaft_hz) * (1 - math.exp(-dt / 3.0))
        turning = self._shaft_hz > 5
        if turning:
            self._defect = min(self._defect * 10 ** (dt / 3600 / float(self.settings["growth"])), 1.0)
        warm = (HEAT_K + FRICTION_K * self._defect**2) * self._shaft_hz / 25 if turning else 0.0
        ambient = float(self.settings["ambient_temperature"])
        self._temperature += (ambient + warm - self._temperature) * (1 - math.exp(-dt / 600))
        self["temperature"] = self._temperature
        self["shaft_speed"] = 60 * self._shaft_hz if turning else 0.0
        self["time_on"] = int((self.now_s + dt / 2) / 60)
        self._since_capture += dt
        if self._since_capture >= CAPTURE_S - dt / 2:
            self._since_capture = 0.0
            self._evaluate(self._capture(turning))

    def _capture(self, turning: bool) -> NDArray[np.float64]:
        """Acceleration of the three axes, m/s²: shape (3, SAMPLES)."""
        wave = self.random.standard_normal((3, SAMPLES)) * (NOISE if turning else STANDING_NOISE)
        if not turning:
            return wave
        shaft, race = self._shaft_hz, str(self.settings["bearing_fault"])
        passing = pass_frequency(race, shaft)
        for share, hz, velocity in (
            (UNBALANCE, shaft, float(self.settings["unbalance"]) * (shaft * 60 / float(self.settings["speed"]))),
            (MISALIGNMENT, 2 * shaft, float(self.settings["misalignment"])),
            (BEARING, passing, ROUGHNESS * self._defect**2),
        ):
            peak = velocity / 1000 * math.sqrt(2) * 2 * math.pi * hz
            tone = np.sin(2 * np.pi * (hz * _TIME + self.random.random()))
            wave += (share * peak)[:, None] * tone
        train = blows(race, shaft, SAMPLES, RATE_HZ, self.random)
        blow = BLOW * self._defect * np.convolve(train, self._ringing)[:SAMPLES]
        wave += BEARING[:, None] * blow
        return np.asarray(np.clip(wave, -CLIP, CLIP))

    def _evaluate(self, wave: NDArray[np.float64]) -> None:
        """From the waveform alone, as the instrument does."""
        acceleration = np.sqrt(np.mean(wave**2, axis=1))
        spectrum = np.fft.rfft(wave * _WINDOW)
        velocity = np.sqrt(2 * np.sum(np.abs(spectrum * _TO_VELOCITY) ** 2, axis=1) / _ENERGY)
        velocity = np.minimum(velocity, 60.0)
        for axis in range(3):
            self[f"acceleration_{axis + 1}"] = float(acceleration[axis])
            self[f"velocity_{axis + 1}"] = float(velocity[axis])
        highest = float(velocity.max())
        self["velocity_highest"] = highest
        self["severity"] = sum(highest > end for end in ZONES)
        first = wave[0] - wave[0].mean()
        square = first**2
        variance = float(square.mean())
        self["kurtosis"] = float((square**2).mean()) / variance**2
        self["crest_factor"] = float(np.abs(first).max()) / math.sqrt(variance)
        self._unwrap(first)
        self["captures"] = int(self["captures"]) + 1

    def _unwrap(self, wave: NDArray[np.float64]) -> None:
        """Envelope of what is above 1 kHz (the size of its analytic signal), and the strongest line of its spectrum."""
        high = np.where(_HIGH, np.fft.rfft(wave), 0)
        envelope = np.hypot(np.fft.irfft(high, SAMPLES), np.fft.irfft(-1j * high, SAMPLES))
        lines = np.abs(np.fft.rfft((envelope - envelope.mean()) * _WINDOW)) * 2 / float(_WINDOW.sum())
        strongest = int(np.argmax(np.where(_LOW, lines, 0)))
        self["envelope"] = min(float(np.sqrt(np.mean(envelope**2))), 160.0)
        self["envelope_frequency"] = float(_HZ[strongest])
        self["envelope_amplitude"] = min(float(lines[strongest]), 160.0)


BEHAVIOUR = VibrationTransmitter
