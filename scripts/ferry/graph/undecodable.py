"""Text in a protobuf message that is no UTF-8: protobuf reads it as bytes, and refuses to write it again."""

from typing import Optional

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message


def first_undecodable(message: Message) -> Optional[bytes]:
    """The first text in ``message``, and in the messages within it, that is no UTF-8; None if all is."""
    for field, value in message.ListFields():
        values = value if field.label == FieldDescriptor.LABEL_REPEATED else [value]
        if field.type == FieldDescriptor.TYPE_STRING:
            found = next((each for each in values if isinstance(each, bytes)), None)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            found = next(filter(None, map(first_undecodable, values)), None)
        else:
            continue
        if found is not None:
            return found
    return None
