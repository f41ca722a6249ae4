"""Figures of experiments are drawn, with every point where it belongs."""
import numpy as np
import pytest

from cfcn_plugin.visualization.charts import (
    Line,
    along_axis,
    convergence,
    fitted_curve,
    learning_curves,
    min_max,
    normalised_bars,
)

LINE = Line([1, 10, 100], [1., 2., 3.], [0., 1., 0.])


def names_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_convergence_has_a_panel_a_quantity_and_a_line_a_system():
    figure = convergence({'loss': dict(a=LINE, b=LINE), 'right': dict(b=LINE)})
    assert [axis.get_title() for axis in figure.axes] == ['loss', 'right']
    assert names_of(figure) == ['a', 'b']
    first = figure.axes[0].lines[0]
    assert list(first.get_ydata()) == [1, 2, 3]
    # b has one colour in both panels
    assert figure.axes[0].lines[1].get_color() == figure.axes[1].lines[0].get_color()
    figure.canvas.draw()


def test_numbers_over_decades_lie_on_a_logarithmic_axis_labels_do_not():
    figure = along_axis({'right': dict(a=LINE)}, {'right': dict(plain=(2., .5))}, 'x')
    assert figure.axes[0].get_xscale() == 'log' and names_of(figure) == ['plain', 'a']
    words = Line(['10', '5%'], [1., 2.], [0., 0.])
    figure = along_axis({'right': dict(a=words)}, {}, 'masks')
    assert figure.axes[0].get_xscale() == 'linear'
    figure.canvas.draw()


def test_fitted_curve_meets_points_that_lie_on_one():
    x = np.array([10, 100, 1000])
    curve = fitted_curve(x, 3 + 2 * np.log(x))
    np.testing.assert_allclose(curve(50), 3 + 2 * np.log(50))


@pytest.mark.parametrize('points,curves', [(2, 0), (3, 1)])
def test_curve_is_fitted_from_three_sizes_on(points, curves):
    line = Line([10, 20, 40][:points], [1., 2., 3.][:points], [0.] * points)
    axis, = learning_curves({'right': {'5%': line}}, 'images').axes
    # the points and, if there is one, the curve
    assert len([one for one in axis.lines if len(one.get_xdata()) == 50]) == curves


def test_bars_are_normalised_in_each_data_set():
    assert min_max(dict(a=2., b=4., c=3.)) == dict(a=0., b=1., c=.5)
    assert min_max(dict(a=2., b=2.)) == dict(a=0., b=0.)
    figure = normalised_bars({'x': dict(a=2., b=4.), 'y': dict(b=9.)}, 'loss')
    assert [bar.get_height() for bar in figure.axes[0].patches] == [0., 1., 0.]
    assert names_of(figure) == ['a', 'b']
    figure.canvas.draw()
