"""Where a typed address may lead: hosts of the site's Modbus sources, and networks that its file names.

Why: a probe opens a connection from the plant's network to wherever somebody types; without a bound an engineer's
    password would be a port scanner behind the firewall.
Never: lets a name decide twice: what it resolved to when it was judged is what is dialled.
"""

from dataclasses import replace
from typing import Final

from edge.collect.callers import is_within
from edge.config import ModbusOptions
from gateway.config import Site
from gateway.probe import ProbeRefused, addresses_of

REFUSED: Final = {
    "en": "{0} is the host of none of the site's Modbus sources and lies in no network of [probe] allow.",
    "zh": "{0} 不是本站点任何 Modbus 数据源的主机,也不在 [probe] allow 所列网络之内。",
}


async def allowed(options: ModbusOptions, site: Site) -> ModbusOptions:
    """Give where to dial.

    Raises:
        ProbeRefused: Nobody may look there.
    """
    hosts = {
        one.modbus.host
        for one in site.sources
        if one.modbus is not None and not one.node and one.modbus.serial is None and one.modbus.call is None
    }
    if options.host in hosts:
        return options
    found = await addresses_of(options.host) - {options.host}
    found |= {options.host} if is_within(options.host, ("0.0.0.0/0", "::/0")) else set()  # It is an address itself.
    known: set[str] = set()
    if found and not all(is_within(one, site.probe_allow) for one in found):
        for host in hosts:
            known |= await addresses_of(host)
    if not found or not all(one in known or is_within(one, site.probe_allow) for one in found):
        raise ProbeRefused(403, {key: said.format(options.host) for key, said in REFUSED.items()})
    return replace(options, host=min(found))
