"""Browse: what a server has, as rows of a tag table; it reads and writes nothing else.

Flow: server -> variables with their names, units and ranges -> rows
Why by URI: a namespace's index may change when the server starts anew; its URI does not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from asyncua import Client, Node, ua

from edge.clock import Clock
from edge.collect.opcua.client import OpcuaSession, connector, said
from edge.collect.opcua.link import LostError
from edge.config import OpcuaOptions

VARIABLES_MAX: Final = 100_000
DEPTH_MAX: Final = 32
OBJECTS: Final = "i=85"  # OPC 10000-5: the folder Objects.
NUMERIC: Final = range(1, 12)  # Built-in types Boolean to Double, OPC 10000-6 §5.1.2.
STRING: Final = 12
OWN_NAMESPACE: Final = 0  # The standard's own nodes: the server of itself, no plant.
_UNFIT: Final = re.compile(r"[^\w.:/-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One variable of a server.

    Attributes:
        name: Made of the browse path, so that it can be a tag's.
        node_id: By the URI of its namespace.
        eu, range_lo, range_hi: As the server has them (OPC 10000-8 §5.3: EngineeringUnits, EURange); empty for none.
        is_text: Its value is a text, which needs a map.
    """

    name: str
    node_id: str
    title: str
    eu: str = ""
    range_lo: str = ""
    range_hi: str = ""
    is_text: bool = False


async def browse(options: OpcuaOptions, clock: Clock, root: str = OBJECTS) -> list[Found]:
    """List the variables below a node, in the server's order.

    Raises:
        LostError: The server cannot be reached or does not let us.
    """
    session = await connector(clock)(options)
    assert isinstance(session, OpcuaSession), options.url
    try:
        client: Client = session.client
        uris = await session.namespaces()
        found: list[Found] = []
        node = client.get_node(root)
        await node.read_node_class()  # A node that is not there has no references, and no error says so.
        await _walk(node, (), uris, found, set())
        return found
    except (ua.UaError, OSError, TimeoutError) as why:
        raise LostError(said(why)) from why
    finally:
        await session.close(is_for_good=True)


async def _walk(
    node: Node, path: tuple[str, ...], uris: Sequence[str], found: list[Found], seen: set[ua.NodeId]
) -> None:
    """Follow hierarchical references; a node that is met twice is taken once."""
    if len(path) > DEPTH_MAX or len(found) >= VARIABLES_MAX:
        return
    kinds = ua.NodeClass.Object | ua.NodeClass.Variable
    for reference in await node.get_references(
        ua.ObjectIds.HierarchicalReferences, ua.BrowseDirection.Forward, kinds, includesubtypes=True
    ):
        target = reference.NodeId
        is_property = reference.ReferenceTypeId == ua.NodeId(ua.ObjectIds.HasProperty)
        if target.NamespaceIndex == OWN_NAMESPACE or target in seen or is_property:
            continue
        seen.add(target)
        child = Node(node.session, target)
        below = (*path, reference.BrowseName.Name or target.to_string())
        if reference.NodeClass_ == ua.NodeClass.Variable:
            one = await _variable(child, reference, below, uris)
            if one is not None:
                found.append(one)
        await _walk(child, below, uris, found, seen)


async def _variable(node: Node, reference: Any, path: tuple[str, ...], uris: Sequence[str]) -> Found | None:  # noqa: ANN401 - the library's
    """Give a variable whose value can be a tag's: one number, one truth, one text."""
    try:
        kind = (await node.read_data_type_as_variant_type()).value
        rank = await node.read_value_rank()
    except (ua.UaError, AttributeError):  # A type of the server's own.
        return None
    if rank >= 0 or (kind not in NUMERIC and kind != STRING):
        return None
    target = reference.NodeId
    text = target.to_string()
    index, _, rest = text.partition(";")
    node_id = f"nsu={uris[target.NamespaceIndex]};{rest}" if index.startswith("ns=") and rest else text
    eu, lo, hi = await _scale(node)
    return Found(
        name=_UNFIT.sub("_", ".".join(path))[-128:],
        node_id=node_id,
        title=(reference.DisplayName.Text or path[-1]).strip(),
        eu=eu,
        range_lo=lo,
        range_hi=hi,
        is_text=kind == STRING,
    )


async def _scale(node: Node) -> tuple[str, str, str]:
    """Give engineering unit and range of a variable, as far as it has them."""
    eu = lo = hi = ""
    for one in await node.get_properties():
        name = (await one.read_browse_name()).Name
        if name not in ("EngineeringUnits", "EURange"):
            continue
        try:
            value = await one.read_value()
        except ua.UaStatusCodeError:
            continue
        if isinstance(value, ua.EUInformation):
            eu = (value.DisplayName.Text or "").strip()
        elif isinstance(value, ua.Range) and value.Low < value.High:
            lo, hi = f"{value.Low:g}", f"{value.High:g}"
    return eu, lo, hi
