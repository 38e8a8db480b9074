"""Builds a Kibana dashboard as a saved object: charts and searches in rows, and controls above them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triage.elastic.kibana_lens import compact, kql, reference, saved_object
from triage.elastic.mapping import JsonObject

_COLUMNS_WIDE = 48


class Ids:
    """Creates ids of saved objects that are unique to a deployment: called with a name, it returns `PREFIX-name`."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def __call__(self, name: str) -> str:
        return f"{self._prefix}-{name}"


@dataclass(frozen=True)
class Panel:
    """One chart or saved search of a dashboard; `width` is in columns, of which there are 48, `height` in rows."""

    target: JsonObject
    width: int
    height: int


def dashboard(
    name: str, title: str, description: str, panels: Sequence[Panel], controls: Sequence[tuple[str, str, str]]
) -> list[JsonObject]:
    """The saved objects of a dashboard: its charts, then the dashboard itself. Panels flow from left to right.

    `name` makes its id. `controls` are the filters above the panels, each as (data view id, field, title).
    """
    placed, references = [], []
    x = y = row = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > _COLUMNS_WIDE:
            x, y, row = 0, y + row, 0
        index, kind = f"p{number}", panel.target["type"]
        placed.append(
            {
                "type": kind,
                "panelIndex": index,
                "gridData": {"x": x, "y": y, "w": panel.width, "h": panel.height, "i": index},
                "embeddableConfig": {"enhancements": {}},
                "panelRefName": f"panel_{index}",
            }
        )
        references.append(reference(kind, panel.target["id"], f"{index}:panel_{index}"))
        x, row = x + panel.width, max(row, panel.height)
    shown, control_references = _controls(controls)
    attributes = {
        "title": title,
        "description": description,
        "panelsJSON": compact(placed),
        "optionsJSON": compact({"useMargins": True, "syncColors": True, "syncCursor": True, "hidePanelTitles": False}),
        "controlGroupInput": shown,
        "timeRestore": True,
        "timeFrom": "now-7d",
        "timeTo": "now",
        "refreshInterval": {"pause": False, "value": 60_000},
        "kibanaSavedObjectMeta": {"searchSourceJSON": compact({"query": kql(), "filter": []})},
        "version": 1,
    }
    charts = [panel.target for panel in panels if panel.target["type"] == "lens"]
    return [*charts, saved_object("dashboard", name, attributes, [*references, *control_references])]


def _controls(controls: Sequence[tuple[str, str, str]]) -> tuple[JsonObject, list[JsonObject]]:
    shown: dict[str, Mapping[str, object]] = {}
    references = []
    for order, (view, field, title) in enumerate(controls):
        name = f"c{order + 1}"
        shown[name] = {
            "order": order,
            "width": "medium",
            "grow": True,
            "type": "optionsListControl",
            "explicitInput": {"id": name, "fieldName": field, "title": title, "enhancements": {}},
        }
        references.append(reference("index-pattern", view, f"controlGroup_{name}:optionsListDataView"))
    ignored = {"ignoreFilters": False, "ignoreQuery": False, "ignoreTimerange": False, "ignoreValidations": False}
    group = {
        "controlStyle": "oneLine",
        "chainingSystem": "HIERARCHICAL",
        "showApplySelections": False,
        "panelsJSON": compact(shown),
        "ignoreParentSettingsJSON": compact(ignored),
    }
    return group, references
