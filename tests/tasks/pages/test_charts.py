"""The picture on a run's page: well-formed, to scale, and with its figures beside it."""

from base64 import b64decode
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from tasks.pages.charts import curve_chart

SVG = "{http://www.w3.org/2000/svg}"


def curve(*points):
    return pd.DataFrame(points, columns=["factor", "matched", "precision_estimate"])


CURVE = curve((0.0, 0, float("nan")), (0.5, 10, 1.0), (1.0, 30, 0.92), (1.5, 40, 0.8))


def picture(text):
    (data,) = [line for line in text.splitlines() if line.startswith("![")]
    return ET.fromstring(b64decode(data.partition("base64,")[2].rstrip(")")))  # noqa: S314 - our own text


def lines(svg):
    return [
        [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        for line in svg.iter(f"{SVG}polyline")
    ]


def test_both_lines_are_drawn_to_scale():
    precision, matches = lines(picture(curve_chart(CURVE, target=0.9)))
    assert [x for x, _ in precision] == [x for x, _ in matches][1:]
    heights = [y for _, y in matches]
    assert heights[0] - heights[1] == pytest.approx((heights[0] - heights[3]) / 4, abs=0.2)
    assert precision[0][1] < precision[1][1] < precision[2][1]


def test_the_figures_stand_below_and_a_missing_one_is_said():
    text = curve_chart(CURVE, target=0.9)
    assert "| 0 | 0 | none |" in text
    assert "| 1 (the program) | 30 | 0.920 |" in text.replace("\\", "")


def test_the_target_is_marked():
    texts = [element.text for element in picture(curve_chart(CURVE, target=0.85)).iter(f"{SVG}text")]
    assert "target" in texts
    assert "0.85" in texts


@pytest.mark.parametrize("points", [[(1.0, 0, float("nan"))], [(1.0, 5, 1.0)], [(0.0, 0, float("nan")), (1.0, 0, 0.5)]])
def test_degenerate_curves_are_drawn_too(points):
    for line in lines(picture(curve_chart(curve(*points), target=0.9))):
        assert all(0 <= x <= 720 and 0 <= y <= 520 for x, y in line)


def test_nothing_is_fetched_to_show_it():
    text = curve_chart(CURVE, target=0.9)
    assert "http" not in text
    assert "href" not in ET.tostring(picture(text), encoding="unicode")
