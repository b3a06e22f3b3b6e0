"""A cold room as a balance of heat and water: air, product, coil."""

from __future__ import annotations

from dataclasses import dataclass

from devices.cold_room_logger.air import (
    DRY_KJ_KGK,
    EVAPORATION_KJ_KG,
    density,
    door_flow,
    enthalpy,
    saturation,
)

FUSION_KJ_KG = 334.0
WALL_KW_M2K = 0.25e-3
FITTINGS_KJ_M3K = 5.0
"""Racks and linings that follow the air, per m³ of the room."""
PRODUCT_KJ_KGK, PRODUCT_KW_KGK = 3.5, 0.3e-3
PRODUCT_DAMP = 0.95
"""The surface of the product holds its air at this part of saturation."""
PRODUCT_DRYING = 0.15
"""Air that passes the product's surface, kg/s."""
COIL_AIR = 2.0
"""Air that the coil brings to its own saturation, kg/s."""
COIL_K = 7.0
COIL_TAU_S = 60.0
"""A coil that cools is this much colder than the room, after a while."""
FAN_KW, HEATER_KW = 0.5, 4.0
MELTING = 0.6
"""Part of the heater's power that melts frost; the rest warms the room."""
FROST_LOSS, LEAST_CAPACITY = 0.02, 0.5
"""Capacity lost per kg of frost, and what is left at least."""
COLDER_LOSS = 0.03
"""Capacity lost for each kelvin below 4 °C."""


@dataclass(slots=True)
class Outside:
    """What a step brings from outside: the air there (°C, kg/kg), and the doorway it comes through (m², m; 0 when closed)."""

    temperature: float
    water: float
    width: float
    height: float


@dataclass(slots=True)
class Room:
    """Air, fittings, product and coil of one room.

    Attributes:
        volume: m³.
        product: Mass of what is stored, kg.
        temperature: Of the air, °C.
        water: In the air, kg per kg.
        core: Temperature of the product, °C.
        coil: Temperature of the coil, °C.
        frost: On the coil, kg.
        cooling: Heat that the coil takes out now, kW.
    """

    volume: float
    product: float
    temperature: float
    water: float
    core: float
    coil: float
    frost: float = 0.0
    cooling: float = 0.0

    @property
    def conductance(self) -> float:
        """Heat through the walls, kW/K."""
        return float(6 * self.volume ** (2 / 3) * WALL_KW_M2K)

    @property
    def capacity(self) -> float:
        """Heat in air and fittings, kJ/K."""
        return self._air * DRY_KJ_KGK + FITTINGS_KJ_M3K * self.volume

    @property
    def _air(self) -> float:
        return density(self.temperature, self.water) * self.volume

    def heat(self, outside: Outside) -> float:
        """What comes through walls and door, kW."""
        through = self.conductance * (outside.temperature - self.temperature)
        gain = enthalpy(outside.temperature, outside.water) - enthalpy(self.temperature, self.water)
        return through + self.exchange(outside) * gain

    def exchange(self, outside: Outside) -> float:
        """Air through the door, kg/s."""
        if not outside.width:
            return 0.0
        here, there = density(self.temperature, self.water), density(outside.temperature, outside.water)
        return door_flow(here, there, outside.width, outside.height)

    def advance(self, dt: float, outside: Outside, *, rated_kw: float, running: bool, defrosting: bool) -> None:
        """Advance by ``dt`` seconds with the compressor and the heater as they are now."""
        air, exchange = self._air, self.exchange(outside)
        heat = self.conductance * (outside.temperature - self.temperature)
        heat += exchange * DRY_KJ_KGK * (outside.temperature - self.temperature)
        water = exchange * (outside.water - self.water)
        if self.product:
            water += PRODUCT_DRYING * (PRODUCT_DAMP * saturation(self.core) - self.water)
            to_product = PRODUCT_KW_KGK * self.product * (self.temperature - self.core)
            self.core += to_product / (PRODUCT_KJ_KGK * self.product) * dt
            heat -= to_product
        else:
            self.core = self.temperature
        self.cooling = 0.0
        if running:
            settled = max(1 - FROST_LOSS * self.frost, LEAST_CAPACITY)
            colder = min(max(1 + COLDER_LOSS * (self.temperature - 4), 0.3), 1.5)
            self.cooling = rated_kw * settled * colder
            caught = min(COIL_AIR * max(self.water - saturation(self.coil), 0.0), self.cooling / EVAPORATION_KJ_KG)
            self.frost += caught * dt
            water -= caught
            heat += FAN_KW + caught * EVAPORATION_KJ_KG - self.cooling
        if defrosting:
            self.frost = max(self.frost - MELTING * HEATER_KW / FUSION_KJ_KG * dt, 0.0)
            heat += (1 - MELTING) * HEATER_KW
        self.coil += ((self.temperature - COIL_K * running + 15.0 * defrosting) - self.coil) * dt / COIL_TAU_S
        self.water = max(self.water + water / air * dt, 0.0)
        self.temperature += heat / self.capacity * dt
        fog = self.water - saturation(self.temperature)
        if fog > 0:  # what the air cannot hold falls out and leaves its heat
            self.water -= fog
            self.temperature += fog * air * EVAPORATION_KJ_KG / self.capacity
