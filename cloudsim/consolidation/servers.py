"""The power of real servers, as published for SPECpower_ssj2008: average active power (W) at 0, 10, ..., 100 % load.

The two HP ProLiant ML110 are the hosts of the PlanetLab consolidation study (Beloglazov and Buyya, CCPE 24, 2012, table
2). Results are at spec.org/power_ssj2008/results/.
"""

from __future__ import annotations

from cloudsim.consolidation.power import Table

SERVERS = {
    # Xeon 3040, 2 cores of 1,860 MHz
    "hp-ml110-g4": Table(
        watts_at=(86, 89.4, 92.6, 96, 99.5, 102, 106, 108, 112, 114, 117),
        source="power_ssj2008-20110127-00342",
    ),
    # Xeon 3075, 2 cores of 2,660 MHz
    "hp-ml110-g5": Table(
        watts_at=(93.7, 97, 101, 105, 110, 116, 121, 125, 129, 133, 135),
        source="power_ssj2008-20110124-00339",
    ),
    # Xeon X3470, 4 cores of 2,933 MHz
    "ibm-x3250-x3470": Table(
        watts_at=(41.6, 46.7, 52.3, 57.9, 65.4, 73, 80.7, 89.5, 99.6, 105, 113),
        source="power_ssj2008-20091104-00213",
    ),
    # Xeon X3480, 4 cores of 3,067 MHz
    "ibm-x3250-x3480": Table(
        watts_at=(42.3, 46.7, 49.7, 55.4, 61.8, 69.3, 76.1, 87, 96.1, 106, 113),
        source="power_ssj2008-20101001-00297",
    ),
    # 2 x Xeon X5670, 12 cores of 2,933 MHz
    "ibm-x3550-x5670": Table(
        watts_at=(66, 107, 120, 131, 143, 156, 173, 191, 211, 229, 247),
        source="power_ssj2008-20100315-00239",
    ),
    # 2 x Xeon X5675, 12 cores of 3,067 MHz
    "ibm-x3550-x5675": Table(
        watts_at=(58.4, 98, 109, 118, 128, 140, 153, 170, 189, 205, 222),
        source="power_ssj2008-20110406-00368",
    ),
}
"""Power models by server."""
