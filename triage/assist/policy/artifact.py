"""Writes a fitted policy as an ONNX graph with its vocabulary, and reads it for ranking."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from triage.assist.policy.dialogues import Decision
from triage.assist.policy.features import GENERAL, Graph, general, specific
from triage.assist.policy.fitting import Policy, legal_actions
from triage.errors import MissingExtraError, ModelError
from triage.paths import replace_file

GRAPH_FILE, NAMES_FILE = "policy.onnx", "policy.json"
_OPSET = 18


class PolicyNames(msgspec.Struct, kw_only=True):
    """Names of the rows (`vocabulary`) and columns (`actions`) of the weights in a policy's ONNX graph.

    `anytime` are the actions allowed at any time. `usual` has the action that agents took most often after (task,
    last action), the baseline to beat, by `task last-action`.
    """

    actions: list[str]
    vocabulary: list[str]
    anytime: list[str]
    tasks: list[str]
    usual: dict[str, str]
    general: int = GENERAL


def write_policy(policy: Policy, usual: dict[str, str], folder: Path) -> None:
    """Write graph and names of a policy into `folder`, which is created; `usual` is the result of `usual_actions`.

    Raises MissingExtraError without the package onnx.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = sorted(policy.vocabulary, key=lambda name: policy.vocabulary[name])
    names = PolicyNames(
        actions=policy.actions, vocabulary=words, anytime=policy.anytime, tasks=policy.tasks, usual=usual
    )
    replace_file(folder / GRAPH_FILE, _graph(policy).SerializeToString())
    replace_file(folder / NAMES_FILE, msgspec.json.encode(names))


def _graph(policy: Policy) -> Any:
    """The graph: indices [n], values [n], columns [c], general [c, GENERAL] to probabilities `joint` and `alone` [c].

    Column `len(actions)` stands for steps without weights of their own.
    """
    try:
        from onnx import TensorProto, helper, numpy_helper
    except ImportError as error:
        raise MissingExtraError("writing a policy", "train") from error
    own = np.concatenate([policy.own, np.zeros((len(policy.own), 1), np.float32)], axis=1).astype(np.float32)
    weights: dict[str, NDArray[Any]] = {
        "own": own,
        "shared": policy.shared,
        "weights_alone": policy.alone,
        "first": np.array([0], np.int64),
        "last": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["own", "indices"], ["rows"], axis=0),
        helper.make_node("Unsqueeze", ["values", "last"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "first"], ["by_action"], keepdims=0),
        helper.make_node("Gather", ["by_action", "columns"], ["specific"], axis=0),
        helper.make_node("MatMul", ["general", "shared"], ["fitting"]),
        helper.make_node("Add", ["specific", "fitting"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["joint"], axis=0),
        helper.make_node("MatMul", ["general", "weights_alone"], ["scores_alone"]),
        helper.make_node("Softmax", ["scores_alone"], ["alone"], axis=0),
    ]
    inputs = [
        helper.make_tensor_value_info("indices", TensorProto.INT64, ["n"]),
        helper.make_tensor_value_info("values", TensorProto.FLOAT, ["n"]),
        helper.make_tensor_value_info("columns", TensorProto.INT64, ["c"]),
        helper.make_tensor_value_info("general", TensorProto.FLOAT, ["c", GENERAL]),
    ]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["c"]) for name in ("joint", "alone")]
    graph = helper.make_graph(
        nodes, "next_steps", inputs, outputs, [numpy_helper.from_array(value, name) for name, value in weights.items()]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)


class PolicyModel:
    """A policy that was written by `write_policy`. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Load it. Raises ModelError for a damaged folder, MissingExtraError without ONNX Runtime."""
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtraError("a policy of next steps", "cpu") from error
        try:
            self.names = msgspec.json.decode((folder / NAMES_FILE).read_bytes(), type=PolicyNames)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            options.log_severity_level = 3
            self._session = onnxruntime.InferenceSession(
                str(folder / GRAPH_FILE), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has no public base of its errors
            raise ModelError(f"conversations.policy: {folder} holds no policy: {error}") from error
        if self.names.general != GENERAL:
            raise ModelError(f"conversations.policy: {folder} is of another version; fit it again")
        self._index = {name: number for number, name in enumerate(self.names.vocabulary)}
        self._column = {name: number for number, name in enumerate(self.names.actions)}

    def ranked(
        self, decision: Decision, graph: Graph, legal: list[str] | None = None, *, unseen: bool = False
    ) -> tuple[list[str], NDArray[np.float32]]:
        """The steps that are allowed in the situation of `decision`, best first, with their probabilities [steps].

        `legal` are the allowed steps, by default those of the task's `graph` and those of any time. For a task that
        the policy was not fitted on, or with `unseen`, only the general weights count.
        """
        steps = legal if legal is not None else legal_actions(graph, self.names.anytime)
        known = graph.name in self.names.tasks and not unseen
        found = specific(decision) if known else {}
        pairs = [(self._index[name], value) for name, value in found.items() if name in self._index]
        nothing = len(self.names.actions)
        inputs = {
            "indices": np.array([index for index, _ in pairs], np.int64),
            "values": np.array([value for _, value in pairs], np.float32),
            "columns": np.array([self._column.get(step, nothing) for step in steps], np.int64),
            "general": general(decision, steps, graph),
        }
        (probabilities,) = self._session.run(["joint" if known else "alone"], inputs)
        order = np.argsort(-probabilities, kind="stable")
        return [steps[place] for place in order], probabilities[order]
