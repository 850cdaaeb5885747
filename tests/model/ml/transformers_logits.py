"""Runs Hugging Face folders with transformers and PyTorch, in the peers' environment, and reads and writes JSON.

Reads a list of ``{folder, texts, input_ids, attention_mask}``. Each result has the texts' ids and logits, the logits
for the padded batch, the label names, and the weights that could not be loaded.
"""

import json
import sys
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def answer(job: dict[str, Any]) -> dict[str, Any]:
    # By default, transformers would compute in float16, the files' dtype.
    model, loading = AutoModelForSequenceClassification.from_pretrained(
        job["folder"], dtype=torch.float32, output_loading_info=True
    )
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(job["folder"])
    with torch.inference_mode():
        batch = model(torch.tensor(job["input_ids"]), attention_mask=torch.tensor(job["attention_mask"])).logits
        texts = [model(**tokenizer(text, return_tensors="pt")).logits[0].tolist() for text in job["texts"]]
    return {
        "architecture": type(model).__name__,
        "labels": [model.config.id2label[index] for index in range(model.config.num_labels)],
        "misfits": sorted(str(name) for kind in loading.values() for name in kind),
        "longest": tokenizer.model_max_length,
        "ids": [tokenizer(text)["input_ids"] for text in job["texts"]],
        "texts": texts,
        "batch": batch.tolist(),
    }


if __name__ == "__main__":
    json.dump([answer(job) for job in json.load(sys.stdin)], sys.stdout)
