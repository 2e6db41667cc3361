"""Tiny checkpoints with chat templates of five families, in their published format and our own words."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.models.checkpoints import write_tiny

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
    "{{ m['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
GEMMA = (  # refuses a system turn, and two turns of one speaker
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system role') }}{% endif %}"
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}"
    "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
    "{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
MISTRAL = (  # the system text stands in the last turn of the user
    "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set turns = messages[1:] %}"
    "{% else %}{% set turns = messages %}{% endif %}{{ bos_token }}{% for m in turns %}{% if m['role'] == 'user' %}"
    "{% if loop.last and system is defined %}[INST] {{ system }}\n\n{{ m['content'] }}[/INST]"
    "{% else %}[INST] {{ m['content'] }}[/INST]{% endif %}{% else %} {{ m['content'] }}{{ eos_token }}{% endif %}"
    "{% endfor %}"
)
PHI = (  # the end of the text stands behind a conversation that is over
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}"
)

# family -> (template, architecture of the tiny model, control tokens)
FAMILIES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "ChatML": (CHATML, "qwen2", ("<|im_start|>", "<|im_end|>")),
    "Llama 3": (LLAMA3, "llama", ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")),
    "Gemma": (GEMMA, "gemma3", ("<start_of_turn>", "<end_of_turn>")),
    "Mistral": (MISTRAL, "mistral", ("[INST]", "[/INST]")),
    "Phi": (PHI, "phi", ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>")),
}


def write_chat(family: str, folder: Path, template: str = "") -> Path:
    """Write a tiny checkpoint whose tokenizer has the family's chat template, or another."""
    own, architecture, control = FAMILIES[family]
    write_tiny(architecture, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": list(control)})
    tokenizer.chat_template = template or own
    tokenizer.save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    torch.manual_seed(1)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for weight in {
            id(w): w for w in (model.get_input_embeddings().weight, model.get_output_embeddings().weight)
        }.values():
            weight[400:].normal_(0.0, 0.25)
    model.save_pretrained(folder)
    return folder
