"""
A model behind HTTP
===================

FastAPI takes a photo and answers with the probability of each class. ``docs/serving.md`` says
how to start it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, File, HTTPException

import skvision


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model in this worker."""
    app.state.model = skvision.load("animals.skv")
    current_default_thread_limiter().total_tokens = 4  # predictions at a time
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
def predict(photo: Annotated[bytes, File()]) -> dict[str, float]:
    """Return the probability of each class."""
    model = app.state.model
    try:
        (probabilities,) = model.predict_proba([photo])
    except skvision.ImageDecodeError as error:
        raise HTTPException(422, str(error)) from error
    return dict(zip(map(str, model.classes_), probabilities.tolist(), strict=True))
