"""Find images that show the same photo, although their files differ. Pure functions of thumbnails.

`descriptors` finds candidates by nearest neighbours, `alignment` lays one image of a pair over
the other, and `pairs` decides. The package loads no Keras, and scikit-learn only to search.
"""

from .descriptors import THUMB, thumbnails_of
from .pairs import SIMILAR, SimilarPairs, components, similar_pairs

__all__ = ["SIMILAR", "THUMB", "SimilarPairs", "components", "similar_pairs", "thumbnails_of"]
