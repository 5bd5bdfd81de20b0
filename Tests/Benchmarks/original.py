"""The application that denoiser replaces: FastAPI, sentence-transformers one text at a time, PyTorch.

Run:  MODELS=folder-of-models.py uvicorn original:app
"""
import os
import time
from typing import List

import numpy as np
import torch
from fastapi import FastAPI
from pydantic import BaseModel, Field
from sentence_transformers import SentenceTransformer
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(384, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
        self.decoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 384))

    def forward(self, x):
        return self.decoder(self.encoder(x))


class TextDenoiseRequest(BaseModel):
    texts: List[str]
    noise_level: float = Field(0.0, ge=0.0)


class EmbeddingDenoiseRequest(BaseModel):
    embeddings: List[List[float]]
    noise_level: float = Field(0.0, ge=0.0)


class DenoiseResponse(BaseModel):
    denoised_embeddings: List[List[float]]
    shape: List[int]
    processing_time_ms: float


app = FastAPI()
sentences = SentenceTransformer(os.path.join(os.environ["MODELS"], "sentence-transformer"), device="cpu")
autoencoder = Autoencoder().eval()


def denoise(matrix, noise_level, started):
    if noise_level > 0:
        matrix = matrix + np.random.normal(0, noise_level, matrix.shape).astype(np.float32)
    with torch.no_grad():
        denoised = autoencoder(torch.tensor(matrix, dtype=torch.float32)).cpu().numpy()
    return DenoiseResponse(
        denoised_embeddings=denoised.tolist(), shape=list(denoised.shape),
        processing_time_ms=(time.time() - started) * 1000)


@app.get("/health")
async def health():
    return {"status": "healthy"}


@app.post("/denoise/text", response_model=DenoiseResponse)
async def denoise_text(request: TextDenoiseRequest):
    started = time.time()
    rows = [sentences.encode(text, show_progress_bar=False) for text in request.texts]
    return denoise(np.array(rows), request.noise_level, started)


@app.post("/denoise/embedding", response_model=DenoiseResponse)
async def denoise_embedding(request: EmbeddingDenoiseRequest):
    started = time.time()
    return denoise(np.array(request.embeddings, dtype=np.float32), request.noise_level, started)
