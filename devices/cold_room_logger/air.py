"""Moist air at sea level, and what of it comes through an open door."""

from __future__ import annotations

import math

PRESSURE_PA = 101_325.0
DRY_KJ_KGK, VAPOUR_KJ_KGK = 1.006, 1.86
EVAPORATION_KJ_KG = 2501.0
GRAVITY = 9.81


def saturation(temperature: float) -> float:
    """Water that air of ``temperature`` (°C) holds at most, kg per kg of dry air (Magnus, over water)."""
    vapour = 611.2 * math.exp(17.62 * temperature / (243.12 + temperature))
    return 0.622 * vapour / (PRESSURE_PA - vapour)


def humidity(temperature: float, water: float) -> float:
    """Relative humidity of air with ``water`` (kg/kg), %."""
    vapour = PRESSURE_PA * water / (0.622 + water)
    return 100 * vapour / (611.2 * math.exp(17.62 * temperature / (243.12 + temperature)))


def enthalpy(temperature: float, water: float) -> float:
    """Heat in a kilogram of dry air and its water, kJ from 0 °C on."""
    return DRY_KJ_KGK * temperature + water * (EVAPORATION_KJ_KG + VAPOUR_KJ_KGK * temperature)


def density(temperature: float, water: float) -> float:
    """kg/m³, by the virtual temperature."""
    return PRESSURE_PA / (287.05 * (temperature + 273.15) * (1 + 0.608 * water))


def door_flow(inside: float, outside: float, width: float, height: float) -> float:
    """Air (kg/s) that an open door exchanges between two densities (kg/m³): Gosney and Olama (1975).

    The heat that comes in is this flow times the difference of the enthalpies, in the form of ASHRAE Handbook, Refrigeration:
    q = 0.221 A (h_i - h_r) rho_r (1 - rho_i/rho_r)^0.5 (g H)^0.5 F_m.
    """
    heavy, light = max(inside, outside), min(inside, outside)
    shape = (2 / (1 + (heavy / light) ** (1 / 3))) ** 1.5
    return float(0.221 * width * height * heavy * math.sqrt((1 - light / heavy) * GRAVITY * height) * shape)
