"""Whatever a file holds, a source gives a mask of the picture's size or a MaskError."""
import json
import random
import zipfile
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.masks import (
    BoxMasks,
    COCOMasks,
    CUBBoxMasks,
    CVATMasks,
    LabelMeMasks,
    LabelStudioMasks,
    MaskError,
    PNGMasks,
    PointMasks,
    VOCMasks,
    YOLOMasks,
)

MUTANTS = 60
SHAPE = (4, 6)
STRANGE = ['null', 'true', '-1', '1e999', 'NaN', '9' * 30, '""', '"../a"', '[]', '{}',
           '[[]]', '[null]', '"\\ud800"', '\0', '\xff', ',', '<a/>', '&b;', ' ', '']


def png(mode='L'):
    stream = BytesIO()
    values = np.arange(24, dtype=np.uint8).reshape(SHAPE) % 2
    Image.fromarray(values).convert(mode).save(stream, 'PNG')
    return stream.getvalue()


def cvat():
    stream = BytesIO()
    with zipfile.ZipFile(stream, 'w') as archive:
        archive.writestr('labelmap.txt', 'background:0,0,0::\ncow:1,1,1::\n')
        archive.writestr('SegmentationClass/a.png', png('RGB'))
    return stream.getvalue()


def polygon(kind):
    return dict(type='polygonlabels', original_height=4, original_width=6,
                value=dict(points=[[0, 0], [50, 0], [0, 50]], polygonlabels=[kind]))


COCO = dict(
    images=[dict(id=1, file_name='a.jpg', height=4, width=6)],
    categories=[dict(id=7, name='cow')],
    annotations=[dict(id=1, image_id=1, category_id=7, iscrowd=0, bbox=[0, 1, 2, 2],
                      segmentation=[[0, 0, 2, 0, 2, 2]]),
                 dict(id=2, image_id=1, category_id=7, iscrowd=1, bbox=[0, 1, 2, 2],
                      segmentation=dict(size=[4, 6], counts=[20, 4]))])
LABELME = dict(imageHeight=4, imageWidth=6, shapes=[
    dict(label='cow', points=[[0, 0], [2, 2]], shape_type='rectangle'),
    dict(label='cow', points=[[3, 1], [3, 2]], shape_type='circle')])
STUDIO = [dict(data=dict(image='a.jpg'), annotations=[dict(result=[
    polygon('cow'), dict(type='brushlabels', original_height=4, original_width=6,
                         value=dict(rle=[0, 0, 0, 96, 56], brushlabels=['dog']))])])]
XML = ('<annotation><size><width>6</width><height>4</height></size><object><name>dog'
       '</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax></bndbox>'
       '</object></annotation>')
# name of the file, what it holds, and the source of it
FILES = {
    'COCO': ('x.json', COCO, lambda root: COCOMasks('x.json', root)),
    'COCO boxes': ('x.json', COCO, lambda root: COCOMasks(
        'x.json', root, use='bbox', objects='per_class', classes=['cow'])),
    'LabelMe': ('a.json', LABELME, lambda root: LabelMeMasks('', '', root)),
    'Label Studio': ('x.json', STUDIO, lambda root: LabelStudioMasks(
        'x.json', data_root=root, categories=['cow'])),
    'boxes': ('x.json', {'a.jpg': [[0, 0, 2, 2], [1, 1, 3, 3]]},
              lambda root: BoxMasks('x.json', root)),
    'boxes in CSV': ('x.csv', 'filename,x0,y0,x1,y1,kind\na.jpg,0,0,2,2,cow\n',
                     lambda root: BoxMasks('x.csv', root, category='kind')),
    'points': ('x.json', [dict(image='a.jpg', x=1, y=2, radius=0.1)],
               lambda root: PointMasks('x.json', root)),
    'points in CSV': ('x.csv', 'image,x,y\na.jpg,1,2\na.jpg,3,2\n',
                      lambda root: PointMasks('x.csv', root)),
    'YOLO': ('a.txt', '0 0.5 0.5 0.2 0.2\n1 0 0 1 0 1 1\n',
             lambda root: YOLOMasks('', '', root)),
    'VOC': ('a.xml', XML, lambda root: VOCMasks(root, 'bbox', images='', masks='.')),
    'CUB': ('bounding_boxes.txt', '1 1.0 1.0 3.0 2.0\n',
            lambda root: CUBBoxMasks(root, images='')),
    'CVAT': ('x.zip', cvat(), lambda root: CVATMasks('x.zip', data_root=root)),
    'PNG': ('a.png', png(), lambda root: PNGMasks('', '', root)),
}


def mutant(data: bytes, chance: random.Random) -> bytes:
    """A piece is cut out, and something strange may take its place."""
    start = chance.randrange(len(data))
    stop = start + chance.choice((0, 1, 1, 2, 5, 20, len(data)))
    strange = chance.choice(STRANGE).encode('latin1')
    return data[:start] + strange + data[stop:]


@pytest.mark.parametrize('kind', FILES)
def test_mutants_are_masks_or_mask_errors(tmp_path, kind):
    name, content, make = FILES[kind]
    if not isinstance(content, bytes):
        text = content if isinstance(content, str) else json.dumps(content)
        content = text.encode()
    (tmp_path / 'images.txt').write_text('1 a.jpg\n')
    sample = dict(img_path=str(tmp_path / 'a.jpg'), ori_shape=SHAPE)
    chance, refused = random.Random(0), 0
    for number in range(MUTANTS + 1):
        data = mutant(content, chance) if number else content
        (tmp_path / name).write_bytes(data)
        try:
            record = make(str(tmp_path))(sample)
        except MaskError as error:
            assert number and len(str(error)) < 1000, (data, error)
            refused += 1
        else:
            assert record is None or record.mask.shape[-2:] == SHAPE
            assert number or record.mask.any()
    assert refused
