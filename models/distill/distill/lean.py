"""A model -> the same computation with less to keep: a runtime holds each name and each tensor of a graph in memory.

Knows nothing of students. Weights, inputs and outputs keep their names, by which people and `weights.py` find them.
"""

from itertools import chain

from onnx import ModelProto, numpy_helper


def make_lean(model: ModelProto) -> None:
    """In place: numbers for names between nodes, no notes of shapes, and equal zero points held once."""
    graph = model.graph
    first: dict[tuple, str] = {}
    names = {}
    for tensor in graph.initializer:
        value = (tensor.data_type, tuple(tensor.dims), numpy_helper.to_array(tensor).tobytes())
        names[tensor.name] = first.setdefault(value, tensor.name) if tensor.name.endswith("_zero_point") else tensor.name
    held = [tensor for tensor in graph.initializer if names[tensor.name] == tensor.name]
    names |= {value.name: value.name for value in chain(graph.input, graph.output)} | {"": ""}
    for node in graph.node:
        node.ClearField("name")
        for ends in (node.input, node.output):
            ends[:] = [names.setdefault(name, str(len(names))) for name in ends]
    for field, kept in ((graph.initializer, held), (graph.value_info, [])):
        del field[:]
        field.extend(kept)
