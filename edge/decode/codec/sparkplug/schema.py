"""The payload of Sparkplug B as protobuf messages, built from a table. The only module that imports protobuf.

The numbers are those of the schema in Sparkplug 3.0.0, §6.4.1. What is not read (data sets, templates, metadata,
body) has no field here: protobuf passes unknown fields by, and nothing nested can be sent to us that takes a stack.
Texts are read as bytes, which is the same on the wire: what is no UTF-8 is then a refusal of ours and no exception of
the library.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

__all__ = ["PAYLOAD", "VALUES", "DecodeError"]

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE: Final = "fengsui.sparkplug"
_BOOL, _BYTES, _DOUBLE, _FLOAT = _Field.TYPE_BOOL, _Field.TYPE_BYTES, _Field.TYPE_DOUBLE, _Field.TYPE_FLOAT
_UINT32, _UINT64, _MESSAGE = _Field.TYPE_UINT32, _Field.TYPE_UINT64, _Field.TYPE_MESSAGE

#: Fields of the ``oneof`` that holds a metric's value, as far as they are read.
VALUES: Final = ("int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value")

#: By message: name, number, type, the message that it is of, repeated or not, in the value's ``oneof`` or not.
_TABLE: Final[dict[str, tuple[tuple[str, int, Any, str, bool, bool], ...]]] = {
    "PropertyValue": (
        ("is_null", 2, _BOOL, "", False, False),
        ("int_value", 3, _UINT32, "", False, True),
        ("long_value", 4, _UINT64, "", False, True),
    ),
    "PropertySet": (
        ("keys", 1, _BYTES, "", True, False),
        ("values", 2, _MESSAGE, "PropertyValue", True, False),
    ),
    "Metric": (
        ("name", 1, _BYTES, "", False, False),
        ("alias", 2, _UINT64, "", False, False),
        ("timestamp", 3, _UINT64, "", False, False),
        ("datatype", 4, _UINT32, "", False, False),
        ("is_historical", 5, _BOOL, "", False, False),
        ("is_null", 7, _BOOL, "", False, False),
        ("properties", 9, _MESSAGE, "PropertySet", False, False),
        ("int_value", 10, _UINT32, "", False, True),
        ("long_value", 11, _UINT64, "", False, True),
        ("float_value", 12, _FLOAT, "", False, True),
        ("double_value", 13, _DOUBLE, "", False, True),
        ("boolean_value", 14, _BOOL, "", False, True),
        ("string_value", 15, _BYTES, "", False, True),
    ),
    "Payload": (
        ("timestamp", 1, _UINT64, "", False, False),
        ("metrics", 2, _MESSAGE, "Metric", True, False),
        ("seq", 3, _UINT64, "", False, False),
    ),
}


def _payload_class() -> Any:  # noqa: ANN401 - a class that protobuf makes has no type of its own
    file = descriptor_pb2.FileDescriptorProto(name="fengsui_sparkplug.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _TABLE.items():
        message = file.message_type.add(name=name)
        if any(is_value for *_, is_value in fields):
            message.oneof_decl.add(name="value")
        for field, number, kind, of, is_repeated, is_value in fields:
            made = message.field.add(name=field, number=number, type=kind)
            made.label = _Field.LABEL_REPEATED if is_repeated else _Field.LABEL_OPTIONAL
            if of:
                made.type_name = f".{_PACKAGE}.{of}"
            if is_value:
                made.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


#: The message class of a payload.
PAYLOAD: Final = _payload_class()
