"""A small whole file of each annotation format, and the source that reads it."""

import base64
import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from PIL import Image

from cfcn_plugin.masks import (
    BoxMasks,
    COCOMasks,
    CUBBoxMasks,
    CUBSegmentationMasks,
    CVATMasks,
    IDRiDMasks,
    LabelMeMasks,
    LabelStudioMasks,
    MaskSource,
    MatMasks,
    PNGMasks,
    PointMasks,
    ScribbleMasks,
    TrimapMasks,
    VOCMasks,
    YOLOMasks,
)

SHAPE = (4, 6)
# an image in a format that Pillow decodes with Ghostscript
EPS = (
    b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 4\n%%EndComments\n'
    b'%%EndProlog\nshowpage\n%%EOF\n'
)


class Format(NamedTuple):
    """A file that is mutated.

    Attributes:
        name: Where it lies below the data root.
        content: Bytes, text, or what is written as JSON.
        make: The source, of the data root.
        others: Files beside it, name -> bytes, that stay whole.
    """

    name: str
    content: bytes | str | dict | list
    make: Callable[[str], MaskSource]
    others: dict = {}

    def encoded(self, content=None) -> bytes:
        content = self.content if content is None else content
        if isinstance(content, bytes):
            return content
        text = content if isinstance(content, str) else json.dumps(content)
        return text.encode('utf-8', 'surrogatepass')

    def read(self, root: Path, data: bytes):
        """What the source says of the image a.jpg, the file holding ``data``."""
        for name, held in ((self.name, data), *self.others.items()):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(held)
        source = self.make(str(root))
        return source(dict(img_path=str(root / 'a.jpg'), ori_shape=SHAPE, gt_label=0))


def image(mode='L', kind='PNG', values=(0, 1), **options):
    stream = BytesIO()
    pixels = np.resize(np.array(values, np.uint8), SHAPE)
    Image.fromarray(pixels).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def white_first(kind='PNG', **options):
    """A binary mask in a palette whose index 0 is white, as Pillow's quantize gives."""
    stream = BytesIO()
    indexed = Image.fromarray(np.resize(np.array((1, 0, 1, 1), np.uint8), SHAPE))
    indexed.putpalette([255, 255, 255, 0, 0, 0])
    indexed.save(stream, kind, **options)
    return stream.getvalue()


def matlab():
    stream = BytesIO()
    with h5py.File(stream, 'w') as content:
        content['cjdata/tumorMask'] = np.eye(*SHAPE, dtype=np.uint8).T
    return stream.getvalue()


def archive(members):
    stream = BytesIO()
    with zipfile.ZipFile(stream, 'w') as target:
        for name, data in members.items():
            target.writestr(name, data)
    return stream.getvalue()


def drawn(kind, **value):
    return dict(
        type=f'{kind}labels',
        original_height=4,
        original_width=6,
        value={**value, f'{kind}labels': ['cow']},
    )


COCO = dict(
    images=[
        dict(
            id=1,
            file_name='a.jpg',
            height=4,
            width=6,
            coco_url='http://127.0.0.1:9/a.jpg',
        )
    ],
    categories=[dict(id=7, name='cow')],
    annotations=[
        dict(
            id=1,
            image_id=1,
            category_id=7,
            iscrowd=0,
            bbox=[0, 1, 2, 2],
            segmentation=[[0, 0, 2, 0, 2, 2]],
        ),
        dict(
            id=2,
            image_id=1,
            category_id=7,
            iscrowd=1,
            bbox=[0, 1, 2, 2],
            segmentation=dict(size=[4, 6], counts=[20, 4]),
        ),
        dict(
            id=3,
            image_id=1,
            category_id=7,
            iscrowd=0,
            bbox=[0, 1, 2, 2],
            segmentation=dict(size=[4, 6], counts='5220;'),
        ),
    ],
)
PASTED = base64.b64encode(image()).decode()
LABELME = dict(
    imageHeight=4,
    imageWidth=6,
    imageData=PASTED,
    shapes=[
        dict(label='cow', points=[[0, 0], [2, 2]], shape_type='rectangle'),
        dict(label='cow', points=[[3, 1], [3, 2]], shape_type='circle'),
        dict(label='cow', points=[[0, 0], [5, 3]], shape_type='mask', mask=PASTED),
        dict(label='cow', points=[[0, 0], [5, 0], [2, 3]], shape_type='polygon'),
        dict(label='cow', points=[[0, 0], [5, 3]], shape_type='line'),
    ],
)
# 96 values of 8 bits, lengths of 16 bits: one run of 255
BRUSH = list(
    int(
        '0' * 25 + '1100000' + '00111' + '1111' * 4 + '100' + f'{95:016b}' + '1' * 8, 2
    ).to_bytes(10, 'big')
)
STUDIO = [
    dict(
        data=dict(image='a.jpg'),
        annotations=[
            dict(
                result=[
                    drawn('polygon', points=[[0, 0], [50, 0], [0, 50]]),
                    drawn('rectangle', x=10, y=10, width=50, height=50, rotation=30),
                    drawn('ellipse', x=50, y=50, radiusX=20, radiusY=30, rotation=20),
                    drawn('keypoint', x=30, y=30, width=0.4),
                    drawn('brush', rle=BRUSH),
                ]
            )
        ],
    )
]
XML = (
    '<annotation><size><width>6</width><height>4</height></size><object><name>dog'
    '</name><difficult>0</difficult><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3'
    '</xmax><ymax>3</ymax></bndbox></object></annotation>'
)
CVAT_XML = (
    '<annotations><meta><task><labels><label><name>cow</name></label></labels></task>'
    '</meta><image id="0" name="a.jpg" width="6" height="4"><box label="cow" xtl="1" '
    'ytl="1" xbr="3" ybr="3" rotation="30"/><polygon label="cow" points="0,0;2,0;0,2"/>'
    '<ellipse label="cow" cx="3" cy="2" rx="2" ry="1"/><mask label="cow" rle="1,2,1" '
    'left="4" top="1" width="2" height="2"/><tag label="cow"/><points label="cow" '
    'points="1,1"/></image></annotations>'
)
LABELMAP = 'background:0,0,0::\ncow:1,1,1::\n'
CVAT_PNG = 'x/SegmentationClass/a.png'
FORMATS = {
    'COCO': Format('x.json', COCO, lambda root: COCOMasks('x.json', root)),
    'COCO boxes': Format(
        'x.json',
        COCO,
        lambda root: COCOMasks(
            'x.json', root, use='bbox', objects='per_class', classes=['cow']
        ),
    ),
    'LabelMe': Format(
        'a.json', LABELME, lambda root: LabelMeMasks('', '', root, radius=1)
    ),
    'Label Studio': Format(
        'x.json',
        STUDIO,
        lambda root: LabelStudioMasks('x.json', data_root=root, categories=['cow']),
    ),
    'boxes': Format(
        'x.json',
        {'a.jpg': [[0, 0, 2, 2], [1, 1, 3, 3]]},
        lambda root: BoxMasks('x.json', root),
    ),
    'boxes in CSV': Format(
        'x.csv',
        'filename,x0,y0,x1,y1,kind\na.jpg,0,0,2,2,cow\n',
        lambda root: BoxMasks('x.csv', root, category='kind', format='xywh'),
    ),
    'points': Format(
        'x.json',
        [dict(image='a.jpg', x=1, y=2, radius=0.1)],
        lambda root: PointMasks('x.json', root),
    ),
    'points in CSV': Format(
        'x.csv',
        'image,x,y,radius\na.jpg,1,2,\na.jpg,3,2,0.2\n',
        lambda root: PointMasks('x.csv', root),
    ),
    'YOLO': Format(
        'a.txt',
        '0 0.5 0.5 0.2 0.2\n1 0 0 1 0 1 1\n',
        lambda root: YOLOMasks('', '', root),
    ),
    'VOC boxes': Format(
        'a.xml', XML, lambda root: VOCMasks(root, 'bbox', images='', masks='.')
    ),
    'VOC classes': Format(
        'a.png',
        image('P', values=(0, 1, 255)),
        lambda root: VOCMasks(root, images='', masks='.'),
    ),
    'VOC objects': Format(
        'a.xml',
        XML,
        lambda root: VOCMasks(root, 'instances', images='', masks='.', annotations=''),
        {'a.png': image('P')},
    ),
    'CUB boxes': Format(
        'bounding_boxes.txt',
        '1 1.0 1.0 3.0 2.0\n',
        lambda root: CUBBoxMasks(root, images=''),
        {'images.txt': b'1 a.jpg\n'},
    ),
    'CUB names': Format(
        'images.txt',
        '1 a.jpg\n2 b.jpg\n',
        lambda root: CUBBoxMasks(root, images=''),
        {'bounding_boxes.txt': b'1 1.0 1.0 3.0 2.0\n2 1 1 3 2\n'},
    ),
    'CUB': Format(
        'a.png',
        image('LA', values=(0, 51, 204)),
        lambda root: CUBSegmentationMasks(root, '', ''),
    ),
    'CVAT': Format(
        'x.zip',
        archive({'labelmap.txt': LABELMAP, 'SegmentationClass/a.png': image('RGB')}),
        lambda root: CVATMasks('x.zip', data_root=root),
    ),
    'CVAT labels': Format(
        'x/labelmap.txt',
        LABELMAP,
        lambda root: CVATMasks('x', data_root=root),
        {CVAT_PNG: image('RGB')},
    ),
    'CVAT pixels': Format(
        CVAT_PNG,
        image('RGB'),
        lambda root: CVATMasks('x', data_root=root),
        {'x/labelmap.txt': LABELMAP.encode()},
    ),
    'CVAT shapes': Format(
        'x.xml', CVAT_XML, lambda root: CVATMasks('x.xml', data_root=root)
    ),
    'CVAT shapes in a zip': Format(
        'x.zip',
        archive({'annotations.xml': CVAT_XML}),
        lambda root: CVATMasks('x.zip', data_root=root),
    ),
    'IDRiD': Format(
        'a_MA.tif',
        image(kind='TIFF', compression='tiff_lzw'),
        lambda root: IDRiDMasks('', '', root, flat=True),
    ),
    'MATLAB': Format('a.mat', matlab(), lambda root: MatMasks('', '', root)),
    'PNG': Format('a.png', image(), lambda root: PNGMasks('', '', root)),
    'PNG, bits': Format(
        'a.png', image('1', values=(0, 255)), lambda root: PNGMasks('', '', root)
    ),
    'PNG, palette': Format(
        'a.png', white_first(transparency=7), lambda root: PNGMasks('', '', root)
    ),
    'BMP': Format(
        'a.bmp', white_first('BMP'), lambda root: PNGMasks('', '', root, suffix='.bmp')
    ),
    'GIF': Format(
        'a.gif', white_first('GIF'), lambda root: PNGMasks('', '', root, suffix='.gif')
    ),
    'PNG, colours': Format(
        'a.png',
        image('RGBA', values=(0, 7)),
        lambda root: PNGMasks('', '', root, causal=[[7, 7, 7]]),
    ),
    'scribbles': Format(
        'a.png',
        image('P'),
        lambda root: ScribbleMasks('', '', root, causal=[1], context=[2]),
    ),
    'trimaps': Format(
        'a.png',
        image(values=(1, 2, 3)),
        lambda root: TrimapMasks('', '', root, border='ignore'),
    ),
}
