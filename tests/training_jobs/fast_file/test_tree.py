from __future__ import annotations

from sagemaker_tensorflow.training.fast_file.fuse_wire import ROOT_NODE
from sagemaker_tensorflow.training.fast_file.tree import FileObject, FileTree


def test_folders_are_made_of_paths() -> None:
    tree = FileTree()
    objects = {
        path: FileObject(f"prefix/{path}", size, '"etag"')
        for size, path in enumerate(["a", "b/c", "b/d/e", "b/f", "\udcff"])
    }
    for path, file_object in objects.items():
        tree.add(path, file_object)
    assert (len(tree), tree.total_bytes) == (1 + 5 + 2, 10)
    assert tree.first_object().name == "prefix/a"
    folder = tree.find(ROOT_NODE, b"b")
    assert folder is not None
    assert tree.is_folder(folder)
    deeper = tree.find(folder, b"d")
    assert deeper is not None
    found = tree.find(deeper, b"e")
    assert found is not None
    assert not tree.is_folder(found)
    assert tree.object(found) == objects["b/d/e"]
    assert tree.find(ROOT_NODE, b"\xff") is not None
    assert tree.find(folder, b"e") is None
    assert tree.find(ROOT_NODE, b"b/c") is None
    assert list(tree.names(folder, 0)) == [(1, b"c"), (2, b"d"), (3, b"f")]
    assert list(tree.names(folder, 2)) == [(3, b"f")]
