"""Train the recipe of test_distributed.py under torchrun; both processes must end with the same weights.

Usage: torchrun --nproc-per-node 2 distributed_run.py FOLDER LOSS
"""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from test_distributed import options

from fairlab.generators import load_generator, train_gan

if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    generator = train_gan(folder, **options(sys.argv[2]))
    assert dist.get_world_size() == 2
    assert load_generator(folder / "generator.safetensors").resolution == 8
    for value in generator.state_dict().values():
        theirs = value.clone()
        dist.broadcast(theirs, src=0)
        assert torch.equal(value, theirs)
    dist.destroy_process_group()
