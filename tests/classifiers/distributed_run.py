"""Train the toy task under torchrun; every process checks that it ends with the weights of rank 0.

Usage: torchrun --nproc-per-node 2 distributed_run.py FOLDER
"""

import sys

import torch
import torch.distributed as dist
from conftest import make_task

from fairlab.classifiers import train_classifier

if __name__ == "__main__":
    torch.set_num_threads(1)
    records: list[dict] = []
    classifier = train_classifier(sys.argv[1], **make_task(), on_epoch=records.append)
    assert dist.get_world_size() == 2
    assert [record["images_seen"] for record in records] == [128, 256, 384]
    for value in classifier.state_dict().values():
        theirs = value.clone()
        dist.broadcast(theirs, src=0)
        assert torch.equal(value, theirs)
    dist.destroy_process_group()
