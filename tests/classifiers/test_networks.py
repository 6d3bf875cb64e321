"""The head is the paper's; ImageNet weights come from torchvision's folder or a sentence says how."""

import urllib.error
import warnings

import pytest
import torch
import torchvision

from fairlab.classifiers import Recipe
from fairlab.classifiers.networks import BACKBONES, LAYERS, AttributeNetwork, build_network
from fairlab.core.errors import UserError

CHECKPOINT = "resnet18-f37072fd.pth"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty torch hub folder, and no network."""

    def offline(*_args, **_kwargs):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_maps_images_to_logits(name):
    network = build_network(Recipe(backbone=name), 3, seed=0).eval()
    with torch.inference_mode():
        logits = network(torch.randn(2, 3, 64, 64))
        half = network(torch.randn(2, 3, 64, 64), torch.bfloat16)
    assert logits.shape == (2, 3)
    assert logits.dtype == half.dtype == torch.float32


def test_a_backbone_is_torchvisions():
    ours = build_network(Recipe(backbone="resnet18"), 1, seed=0).eval()
    theirs = torchvision.models.resnet18()
    theirs.load_state_dict(ours.backbone.state_dict(), strict=False)
    theirs.fc = torch.nn.Identity()
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(ours.backbone(images), theirs.eval()(images))


def test_the_head_is_the_papers():
    head = build_network(Recipe(backbone="resnet50"), 1, seed=0).head
    assert [type(layer).__name__ for layer in head] == ["Linear", "ReLU", "Dropout", "Linear"]
    assert (head[0].in_features, head[0].out_features, head[3].out_features) == (2048, 2048, 1)
    assert head[2].p == 0.5
    assert len(build_network(Recipe(backbone="resnet10", hidden_head=False), 1, seed=0).head) == 1


def test_width_scales_every_stage():
    network = build_network(Recipe(backbone="resnet10", width=16), 2, seed=0)
    assert network.backbone.conv1.out_channels == 16
    assert network.head[0].in_features == 128


def test_weights_come_from_the_seed_and_leave_the_global_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (
        build_network(Recipe(backbone="resnet10", width=8), 1, seed=seed).head[0].weight for seed in (1, 1, 2)
    )
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_imagenet_weights_are_read_from_the_hub_folder(hub):
    torch.manual_seed(1)
    theirs = torchvision.models.resnet18()
    torch.save(theirs.state_dict(), hub / CHECKPOINT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = build_network(Recipe(backbone="resnet18", pretrained="required"), 1, seed=0)
    for name, value in ours.backbone.state_dict().items():
        assert torch.equal(value, theirs.state_dict()[name]), name


def test_required_weights_that_cannot_be_had_are_one_sentence(hub):
    with pytest.raises(UserError, match=f"(?s)could not be downloaded.*{CHECKPOINT}.*{CHECKPOINT}"):
        build_network(Recipe(backbone="resnet18", pretrained="required"), 1, seed=0)


def test_preferred_weights_that_cannot_be_had_are_a_warning(hub):
    with pytest.warns(UserWarning, match="goes on from random weights"):
        ours = build_network(Recipe(backbone="resnet18", pretrained="preferred"), 1, seed=0)
    plain = build_network(Recipe(backbone="resnet18"), 1, seed=0)
    assert torch.equal(ours.backbone.conv1.weight, plain.backbone.conv1.weight)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all"])
def test_damaged_imagenet_weights_are_one_sentence(hub, content):
    (hub / CHECKPOINT).write_bytes(content)
    with pytest.raises(UserError, match=f"{CHECKPOINT} is damaged; delete it"):
        build_network(Recipe(backbone="resnet18", pretrained="required"), 1, seed=0)


def test_a_backbone_without_imagenet_weights_says_so():
    with pytest.raises(UserError, match="no ImageNet weights for 'resnet10'"):
        build_network(Recipe(backbone="resnet10", pretrained="required"), 1, seed=0)


@pytest.mark.parametrize("name", ["resnet10", "resnet50"])
def test_a_network_can_be_looked_into_at_every_layer(name):
    network = build_network(Recipe(backbone=name, width=8), 3, seed=0).eval()
    images = torch.randn(2, 3, 64, 64)
    widest = network.n_features
    shapes = [(2, widest // 2 ** (3 - k), 16 // 2**k, 16 // 2**k) for k in range(4)] + [(2, widest), (2, 3)]
    with torch.inference_mode():
        plain = network(images)
        for layer, shape in zip(LAYERS, shapes, strict=True):
            logits, stage = network.at(images, layer)
            assert stage.shape == shape
            assert torch.equal(logits, plain)
            assert torch.equal(network.stage(images, layer), stage)
        mean = network.stage(images, "layer4").mean(dim=(2, 3))
        torch.testing.assert_close(mean, network.stage(images, "features"))
    assert not any(module._forward_hooks for module in network.modules())
    for look in (network.at, network.stage):
        with pytest.raises(UserError, match="no layer 'layer5'; did you mean 'layer"):
            look(images, "layer5")


def test_a_kind_of_network_that_adds_parts_starts_from_the_same_weights():
    class WithPart(AttributeNetwork):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.part = torch.nn.Linear(2, 2)

    recipe = Recipe(backbone="resnet10", width=8)
    plain, other = build_network(recipe, 1, seed=3), build_network(recipe, 1, seed=3, kind=WithPart)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in plain.state_dict().items())
    again = build_network(recipe, 1, seed=3, kind=WithPart)
    assert torch.equal(other.part.weight, again.part.weight)
