"""Builds Kibana Lens charts as saved objects: columns, kinds of chart, and the object."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from triage.elastic.mapping import JsonObject

LAYER = "layer1"
RECORDS_FIELD = "___records___"
# Versions of the formats written here: Kibana migrates imported objects to its own.
_CORE_VERSION = "8.8.0"
_TYPE_VERSIONS = {"index-pattern": "8.0.0", "search": "8.0.0", "lens": "8.9.0", "dashboard": "8.9.0"}

Columns = Mapping[str, JsonObject]
Shape = Literal["bar_stacked", "bar_percentage_stacked", "bar_horizontal_stacked", "area_stacked", "line"]


def saved_object(kind: str, name: str, attributes: JsonObject, references: Sequence[JsonObject] = ()) -> JsonObject:
    """One saved object of type `kind` with the id `name`, a line of the file that Kibana imports.

    `references` are the objects that it refers to.
    """
    return {
        "type": kind,
        "id": name,
        "attributes": attributes,
        "references": list(references),
        "coreMigrationVersion": _CORE_VERSION,
        "typeMigrationVersion": _TYPE_VERSIONS[kind],
        "managed": False,
    }


def reference(kind: str, target: str, name: str) -> JsonObject:
    return {"type": kind, "id": target, "name": name}


def kql(query: str = "") -> JsonObject:
    return {"query": query, "language": "kuery"}


def compact(value: Any) -> str:
    """Encode a value as compact JSON text: Kibana stores parts of its objects as JSON within JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def count(label: str = "Records", where: str = "") -> JsonObject:
    """Lens column with the number of documents that match `where` (KQL), or of all if it is empty."""
    column = _metric("count", RECORDS_FIELD, label, {"emptyAsNull": True})
    return column | {"filter": kql(where)} if where else column


def average(field: str, label: str, decimals: int = 2) -> JsonObject:
    shown = {"id": "number", "params": {"decimals": decimals}}
    return _metric("average", field, label, {"emptyAsNull": True, "format": shown})


def maximum(field: str, label: str) -> JsonObject:
    return _metric("max", field, label, {"emptyAsNull": True})


def total(field: str, label: str) -> JsonObject:
    return _metric("sum", field, label, {"emptyAsNull": True})


def over_time(field: str, label: str = "Time") -> JsonObject:
    return {
        "dataType": "date",
        "isBucketed": True,
        "label": label,
        "customLabel": True,
        "operationType": "date_histogram",
        "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
        "scale": "interval",
        "sourceField": field,
    }


def terms(field: str, label: str, size: int = 10, by: str = "value", kind: str = "string") -> JsonObject:
    """Lens column that groups by the `size` most frequent values of a field, ordered by the column `by`.

    `label` is its title, `kind` the type of the values. All other values are one group; records without a value are
    left out.
    """
    return {
        "dataType": kind,
        "isBucketed": True,
        "label": label,
        "customLabel": True,
        "operationType": "terms",
        "params": {
            "size": size,
            "orderBy": {"type": "column", "columnId": by},
            "orderDirection": "desc",
            "otherBucket": True,
            "missingBucket": False,
            "parentFormat": {"id": "terms"},
        },
        "scale": "ordinal",
        "sourceField": field,
    }


def xy(columns: Columns, shape: Shape, x: str, values: Sequence[str], split: str | None = None) -> JsonObject:
    layer: JsonObject = {
        "layerId": LAYER,
        "layerType": "data",
        "accessors": list(values),
        "seriesType": shape,
        "position": "top",
        "showGridlines": False,
        "xAccessor": x,
    }
    if split:
        layer["splitAccessor"] = split
    shown = {
        "legend": {"isVisible": bool(split) or len(values) > 1, "position": "right"},
        "valueLabels": "hide",
        "fittingFunction": "Linear" if shape == "line" else "None",
        "preferredSeriesType": shape,
        "layers": [layer],
    }
    return {"visualizationType": "lnsXY", "visualization": shown, "columns": columns}


def metric(columns: Columns, value: str = "value") -> JsonObject:
    shown = {"layerId": LAYER, "layerType": "data", "metricAccessor": value}
    return {"visualizationType": "lnsMetric", "visualization": shown, "columns": columns}


def table(columns: Columns) -> JsonObject:
    shown = {"layerId": LAYER, "layerType": "data", "columns": [{"columnId": name} for name in columns]}
    return {"visualizationType": "lnsDatatable", "visualization": shown, "columns": columns}


def heatmap(columns: Columns, x: str, y: str, value: str = "value") -> JsonObject:
    shown = {
        "layerId": LAYER,
        "layerType": "data",
        "shape": "heatmap",
        "xAccessor": x,
        "yAccessor": y,
        "valueAccessor": value,
        "legend": {"type": "heatmap_legend", "isVisible": True, "position": "right"},
        "gridConfig": {
            "type": "heatmap_grid",
            "isCellLabelVisible": True,
            "isXAxisLabelVisible": True,
            "isYAxisLabelVisible": True,
            "isXAxisTitleVisible": False,
            "isYAxisTitleVisible": False,
        },
    }
    return {"visualizationType": "lnsHeatmap", "visualization": shown, "columns": columns}


def lens(
    name: str, title: str, data_view: str, chart: JsonObject, *, where: str = "", description: str = ""
) -> JsonObject:
    """A Lens chart over one data view, as a saved object with the id `name`; `where` filters its documents (KQL)."""
    columns = dict(chart["columns"])
    # Lens wants buckets before metrics.
    order = sorted(columns, key=lambda column: not columns[column]["isBucketed"])
    attributes = {
        "title": title,
        "description": description,
        "visualizationType": chart["visualizationType"],
        "state": {
            "visualization": chart["visualization"],
            "query": kql(where),
            "filters": [],
            "datasourceStates": {
                "formBased": {
                    "layers": {
                        LAYER: {"columns": columns, "columnOrder": order, "incompleteColumns": {}, "sampling": 1}
                    }
                }
            },
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }
    return saved_object(
        "lens", name, attributes, [reference("index-pattern", data_view, f"indexpattern-datasource-layer-{LAYER}")]
    )


def _metric(operation: str, field: str, label: str, params: JsonObject) -> JsonObject:
    return {
        "dataType": "number",
        "isBucketed": False,
        "label": label,
        "customLabel": True,
        "operationType": operation,
        "params": params,
        "scale": "ratio",
        "sourceField": field,
    }
