"""The errors this package raises on purpose: each carries one message meant for the user."""


class InputError(ValueError):
    """Bad input: the message names the file, column or parameter, what was found and what was expected.

    The command line prints the message and exits with code 2, without a traceback.
    """


class LostProcessError(RuntimeError):
    """One of several processes has ended; the others cannot go on."""


class DivergenceError(RuntimeError):
    """Training met a non-finite number; the message names the first quantity that became so."""


class ShortMemoryError(RuntimeError):
    """Memory of the machine or of the GPU did not suffice; the message names the stage and what makes it smaller."""
