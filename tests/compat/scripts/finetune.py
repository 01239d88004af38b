"""Train a toy model with Hugging Face transformers, which reports to what it finds by itself."""

import sys

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
from transformers.integrations import get_available_reporting_integrations


class RandomTokens(Dataset):
    def __len__(self):
        return 16

    def __getitem__(self, index):
        tokens = torch.randint(0, 50, (8,))
        return {"input_ids": tokens, "labels": tokens}


print("found:", *get_available_reporting_integrations())
trainer = Trainer(
    model=GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=8, n_embd=8, n_layer=1, n_head=1)),
    args=TrainingArguments(
        output_dir=sys.argv[1],
        report_to="all",  # the default before transformers 5
        num_train_epochs=1,
        per_device_train_batch_size=4,
        logging_steps=1,
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
    ),
    train_dataset=RandomTokens(),
)
trainer.train()
