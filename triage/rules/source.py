"""Reads YAML with the line of each value."""

from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]
_MAX_NODES = 100_000
_MAX_DEPTH = 100


class _Loader(yaml.SafeLoader):
    """YAML loader that refuses brackets nested deeper than any rules are.

    The scanner's time grows with the square of their number.
    """

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: N803 - the name in yaml
        if self.flow_level >= _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=self.get_mark())
        super().fetch_flow_collection_start(TokenClass)


@dataclass
class SourceMap:
    """Line number of each value in a YAML text, by the path of field names and list indices.

    `problems` are (line, message) of duplicate fields, which the data no longer shows.
    """

    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Line (from 1) of the value at `path`, or of the nearest enclosing value."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_source(text: str) -> tuple[Any, SourceMap]:
    """Parse a YAML text; returns its data and the line of each value.

    Raises yaml.YAMLError if it is invalid, too deeply nested or too large.
    """
    source = SourceMap()
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, source
        _walk(node, (), source, set())
        return loader.construct_document(node), source
    except RecursionError as error:
        raise yaml.YAMLError("nested too deeply") from error
    except ValueError as error:
        # A date that does not exist, or a number of thousands of digits.
        raise yaml.YAMLError(str(error)) from error
    finally:
        loader.dispose()


def _walk(node: yaml.Node, path: Path, source: SourceMap, above: set[int]) -> None:
    if id(node) in above or len(source.lines) > _MAX_NODES:
        raise yaml.MarkedYAMLError(
            problem="an alias refers to itself or expands to too many values", problem_mark=node.start_mark
        )
    source.lines.setdefault(path, node.start_mark.line + 1)
    above.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*path, number), source, above)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a field's name must be a scalar", problem_mark=key.start_mark)
            name, line = key.value, key.start_mark.line + 1
            if name in seen:
                source.problems.append((line, f"{name} is a duplicate field, first set on line {seen[name]}"))
            seen.setdefault(name, line)
            source.lines[(*path, name)] = line
            _walk(value, (*path, name), source, above)
    above.discard(id(node))
