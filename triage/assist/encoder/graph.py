"""Builds the encoder's ONNX graph from the weights, without expanding their 4 bits.

Inputs `input_ids` and `attention_mask`, both [batch, seq] int64; outputs `embedding` [batch, hidden] float32, the mean
over the tokens, L2-normalized, and `tokens` [batch, seq, hidden] float32, the states of which it is the mean.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.assist.encoder.weights import BLOCK, Weights
from triage.errors import MissingExtraError

_OPSET = 21
_IR_VERSION = 10
_RUNTIME = "com.microsoft"
_MASKED = -10_000.0


def build_graph(weights: Weights, rows: NDArray[np.int64], accuracy: int) -> bytes:
    """Content of the ONNX file with the word embeddings of `rows`, in this order.

    `accuracy` is that of MatMulNBits: 0 multiplies fp32, which is exact and fast for many tokens; 4 quantizes
    activations to int8, which is twice as fast for a short text. Raises MissingExtraError without the package onnx.
    """
    return _Builder(weights, accuracy).build(rows)


class _Builder:
    def __init__(self, weights: Weights, accuracy: int) -> None:
        try:
            import onnx
        except ImportError as error:
            raise MissingExtraError("building the sentence encoder", "encoder") from error
        self._onnx: Any = onnx
        self._weights = weights
        self._accuracy = accuracy
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def build(self, rows: NDArray[np.int64]) -> bytes:
        onnx, weights = self._onnx, self._weights
        self._constant("by_head", np.array([0, 0, weights.heads, weights.hidden // weights.heads], np.int64))
        self._constant("joined", np.array([0, 0, weights.hidden], np.int64))
        self._constant("scale", np.array((weights.hidden // weights.heads) ** -0.5, np.float32))
        state = self._embeddings(rows)
        self._mask()
        for layer in range(weights.layers):
            state = self._layer(state, f"l{layer}")
        self._node("Identity", [state], "tokens")
        self._pool(state)
        kind = onnx.TensorProto
        inputs = [
            onnx.helper.make_tensor_value_info(name, kind.INT64, ["batch", "seq"])
            for name in ("input_ids", "attention_mask")
        ]
        outputs = [
            onnx.helper.make_tensor_value_info("embedding", kind.FLOAT, ["batch", weights.hidden]),
            onnx.helper.make_tensor_value_info("tokens", kind.FLOAT, ["batch", "seq", weights.hidden]),
        ]
        graph = onnx.helper.make_graph(self._nodes, "encoder", inputs, outputs, self._constants)
        opsets = [onnx.helper.make_opsetid("", _OPSET), onnx.helper.make_opsetid(_RUNTIME, 1)]
        model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        return bytes(model.SerializeToString())

    def _embeddings(self, rows: NDArray[np.int64]) -> str:
        weights, hidden = self._weights, self._weights.hidden
        words = weights.blocks("emb.word", hidden)
        # The lookup takes signed half bytes: 0 to 15 become -8 to 7 by the highest bit.
        packed = _packed(words.numbers[rows] ^ np.uint8(8))
        shape = [len(rows), hidden]
        self._constants.append(
            self._onnx.helper.make_tensor("words", self._onnx.TensorProto.INT4, shape, packed.tobytes(), raw=True)
        )
        self._constant("word_scales", words.scales[rows])
        found = self._node(
            "GatherBlockQuantized", ["words", "input_ids", "word_scales"], "word", domain=_RUNTIME,
            block_size=BLOCK, gather_axis=0, quantize_axis=1, bits=4,
        )  # fmt: skip
        # All texts are of the first type.
        positions = weights.floats("emb.pos").reshape(-1, hidden) + weights.floats("emb.type").reshape(-1, hidden)[0]
        self._constant("positions", positions)
        for name in ("first", "axis"):
            self._constant(name, np.zeros(1, np.int64))
        self._node("Shape", ["input_ids"], "length", start=1, end=2)
        self._node("Slice", ["positions", "first", "length", "axis"], "position")
        return self._norm(self._node("Add", [found, "position"], "embedded"), "emb.ln")

    def _mask(self) -> None:
        self._constant("one", np.array(1, np.float32))
        self._constant("masked", np.array(_MASKED, np.float32))
        self._constant("of_heads", np.array([1, 2], np.int64))
        self._node("Cast", ["attention_mask"], "mask", to=self._onnx.TensorProto.FLOAT)
        self._node("Mul", [self._node("Sub", ["one", "mask"], "unused"), "masked"], "penalty")
        self._node("Unsqueeze", ["penalty", "of_heads"], "penalties")

    def _layer(self, state: str, name: str) -> str:
        split = {}
        for part, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
            found = self._linear(state, f"{name}.{part}")
            found = self._node("Reshape", [found, "by_head"], f"{name}.{part}.heads")
            split[part] = self._node("Transpose", [found], f"{name}.{part}.split", perm=order)
        scores = self._node("MatMul", [split["q"], split["k"]], f"{name}.scores")
        scores = self._node("Mul", [scores, "scale"], f"{name}.scaled")
        scores = self._node("Add", [scores, "penalties"], f"{name}.masked")
        shares = self._node("Softmax", [scores], f"{name}.shares", axis=-1)
        found = self._node("MatMul", [shares, split["v"]], f"{name}.mixed")
        found = self._node("Transpose", [found], f"{name}.rows", perm=[0, 2, 1, 3])
        found = self._linear(self._node("Reshape", [found, "joined"], f"{name}.joined"), f"{name}.ao")
        state = self._norm(self._node("Add", [found, state], f"{name}.attended"), f"{name}.aln")
        found = self._node("Gelu", [self._linear(state, f"{name}.fi")], f"{name}.active")
        found = self._linear(found, f"{name}.fo")
        return self._norm(self._node("Add", [found, state], f"{name}.added"), f"{name}.oln")

    def _pool(self, state: str) -> None:
        self._constant("last", np.array([2], np.int64))
        self._constant("along", np.array([1], np.int64))
        self._node("Unsqueeze", ["mask", "last"], "used")
        total = self._node("ReduceSum", [self._node("Mul", [state, "used"], "kept"), "along"], "total", keepdims=0)
        self._node("ReduceSum", ["used", "along"], "count", keepdims=0)
        self._node("LpNormalization", [self._node("Div", [total, "count"], "mean")], "embedding", axis=1, p=2)

    def _linear(self, state: str, name: str) -> str:
        bias = self._weights.floats(f"{name}.b")
        outputs = len(bias)
        inputs = self._weights.hidden * (4 if name.endswith(".fo") else 1)
        matrix = self._weights.blocks(f"{name}.w", inputs)
        packed = _packed(matrix.numbers).reshape(outputs, inputs // BLOCK, BLOCK // 2)
        product = self._node(
            "MatMulNBits",
            [state, self._constant(f"{name}.w", packed), self._constant(f"{name}.w.scales", matrix.scales)],
            f"{name}.product",
            domain=_RUNTIME, K=inputs, N=outputs, bits=4, block_size=BLOCK, accuracy_level=self._accuracy,
        )  # fmt: skip
        return self._node("Add", [product, self._constant(f"{name}.b", bias)], f"{name}.out")

    def _norm(self, state: str, name: str) -> str:
        scale, bias = (self._constant(f"{name}.{part}", self._weights.floats(f"{name}.{part}")) for part in "wb")
        epsilon = self._weights.epsilon
        return self._node("LayerNormalization", [state, scale, bias], f"{name}.out", axis=-1, epsilon=epsilon)

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        self._constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        made = self._onnx.helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes)
        self._nodes.append(made)
        return output


def _packed(numbers: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two half bytes per byte, the first one low; [rows, columns] becomes [rows, columns / 2]."""
    return numbers[:, 0::2] | (numbers[:, 1::2] << np.uint8(4))
