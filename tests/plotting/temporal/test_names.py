"""When windows begin, as text."""

import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.plotting.temporal.names import window_names


def test_dates_are_as_short_as_they_can_be() -> None:
    days = torch.tensor([0.0, 86400.0, 2 * 86400.0])
    assert window_names(days, "seconds") == ["1970-01-01", "1970-01-02", "1970-01-03"]
    assert window_names(1000 * days, "milliseconds") == window_names(days, "dates")
    assert window_names(torch.tensor([0.0, 3600.0, 7200.0]), "dates")[1] == "1970-01-01 01:00"
    assert window_names(torch.tensor([0.0, 1.0, 2.0]), "dates")[1] == "1970-01-01 00:00:01"


def test_numbers_stay_numbers_that_differ() -> None:
    assert window_names(torch.tensor([0.0, 2.5, 5.0])) == ["0", "2.5", "5"]
    # Seconds since 1970 of three hours: four digits would be the same.
    large = 1.6e9 + 3600.0 * torch.arange(4).double()
    assert len({*window_names(large)}) == 4
    # Dates that no calendar has.
    assert window_names(torch.tensor([0.0, 1e15]).double(), "dates") == ["0", "1e+15"]


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(InputError, match="unit"):
        window_names(torch.arange(3).double(), "weeks")
