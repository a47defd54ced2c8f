"""Rows as the inputs of an ONNX model."""

import numpy

DTYPES = {
    "tensor(string)": object,
    "tensor(float)": numpy.float32,
    "tensor(double)": numpy.float64,
    "tensor(int64)": numpy.int64,
}


def columns(session, rows):
    """One array a column, of the type that the model wants."""
    return {
        one.name: numpy.array([row[one.name] for row in rows], dtype=DTYPES[one.type])
        for one in session.get_inputs()
    }
