"""Charts of experiments have every point at the correct place."""

import numpy as np
import pytest
from pandas import DataFrame

from cfcn_plugin.visualization.charts import (
    plot_along_axis,
    plot_convergence,
    plot_learning_curves,
    plot_normalised_bars,
)


def points(**panels):
    """{panel: {name: (x, mean)}}, with a spread of one."""
    return DataFrame(
        [
            dict(panel=panel, name=name, x=x, mean=mean, spread=1.0)
            for panel, lines in panels.items()
            for name, (xs, means) in lines.items()
            for x, mean in zip(xs, means)
        ]
    )


LINE = [1, 10, 100], [1.0, 2.0, 3.0]


def names_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_convergence_has_a_panel_a_quantity_and_a_line_a_method():
    figure = plot_convergence(points(loss=dict(a=LINE, b=LINE), right=dict(b=LINE)))
    assert [axis.get_title() for axis in figure.axes] == ['loss', 'right']
    assert names_of(figure) == ['a', 'b']
    first = figure.axes[0].lines[0]
    assert list(first.get_ydata()) == [1, 2, 3]
    band = figure.axes[0].collections[0].get_datalim(figure.axes[0].transData)
    assert (band.y0, band.y1) == (0.0, 4.0)
    # b has one colour in both panels
    assert figure.axes[0].lines[1].get_color() == figure.axes[1].lines[0].get_color()
    figure.canvas.draw()


def test_numbers_over_decades_lie_on_a_logarithmic_axis_labels_do_not():
    figure = plot_along_axis(points(right=dict(a=LINE, level=([None], [2.0]))), 'x')
    (axis,) = figure.axes
    assert axis.get_xscale() == 'log' and axis.get_xlabel() == 'x'
    assert names_of(figure) == ['level', 'a']
    (level,) = (line for line in axis.lines if line.get_linestyle() == '--')
    assert list(level.get_ydata()) == [2.0, 2.0]
    figure = plot_along_axis(points(right=dict(a=(['10', '5%'], [1.0, 2.0]))), 'masks')
    assert figure.axes[0].get_xscale() == 'linear'
    figure.canvas.draw()


def test_fitted_curve_meets_points_that_lie_on_one():
    x = np.array([10, 100, 1000])
    (axis,) = plot_learning_curves(
        points(right={'5%': (x, 3 + 2 * np.log(x))}), 'x'
    ).axes
    (curve,) = (line for line in axis.lines if len(line.get_xdata()) == 50)
    np.testing.assert_allclose(curve.get_ydata(), 3 + 2 * np.log(curve.get_xdata()))


@pytest.mark.parametrize('count,curves', [(2, 0), (3, 1)])
def test_curve_is_fitted_from_three_sizes_on(count, curves):
    line = [10, 20, 40][:count], [1.0, 2.0, 3.0][:count]
    figure = plot_learning_curves(points(right={'5%': line}), 'images')
    (axis,) = figure.axes
    assert names_of(figure) == ['masks: 5%']
    # the points and, if there is one, the curve
    assert len([one for one in axis.lines if len(one.get_xdata()) == 50]) == curves


def test_bars_are_normalised_in_each_data_set():
    values = DataFrame({'a': [2.0, np.nan, 5.0], 'b': [4.0, 9.0, 5.0]}, ['x', 'y', 'z'])
    figure = plot_normalised_bars(values, 'loss')
    (axis,) = figure.axes
    drawn = [bar.get_height() for bar in axis.patches]
    assert drawn == [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    assert [text.get_text() for text in axis.texts] == [
        '2.00',
        '',
        '5.00',
        '4.00',
        '9.00',
        '5.00',
    ]
    assert [label.get_text() for label in axis.get_xticklabels()] == ['x', 'y', 'z']
    assert names_of(figure) == ['a', 'b']
    figure.canvas.draw()
