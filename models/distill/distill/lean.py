"""A model -> the same computation with less to keep: a runtime holds each name and each tensor of a graph in memory.

Tensors keep their names, by which people and `weights.py` find weights, and so do inputs and outputs.
"""

from itertools import chain, count

from onnx import AttributeProto, ModelProto, numpy_helper


def make_lean(model: ModelProto) -> None:
    """In place: numbers for names between nodes, no notes of shapes, and equal zero points held once.

    Raises ValueError for a graph with other graphs in it, whose nodes would not find the names.
    """
    graph = model.graph
    if any(part.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for node in graph.node for part in node.attribute):
        raise ValueError(f"{graph.name} has graphs in its nodes")
    names = {value.name: value.name for value in chain(graph.input, graph.output, graph.initializer)} | {"": ""}
    first: dict[tuple, str] = {}
    held = []
    for tensor in graph.initializer:
        value = (tensor.data_type, tuple(tensor.dims), numpy_helper.to_array(tensor).tobytes())
        if tensor.name.endswith("_zero_point"):
            names[tensor.name] = first.setdefault(value, tensor.name)
        if names[tensor.name] == tensor.name:
            held.append(tensor)
    free = (number for number in map(str, count()) if number not in names)
    for node in graph.node:
        node.ClearField("name")
        for ends in (node.input, node.output):
            ends[:] = [names[end] if end in names else names.setdefault(end, next(free)) for end in ends]
    for field, kept in ((graph.initializer, held), (graph.value_info, [])):
        del field[:]
        field.extend(kept)
