"""The passes that a model goes through before the lowerings see it, in order, each with the reason for its place.

None has to run twice: run again on what the list leaves, it finds nothing to do.
"""

from typing import List

from ferry.graph.pass_manager import Pass
from ferry.graph.passes.fold_batch_norm import fold_batch_norm
from ferry.graph.passes.fold_channel_shuffle import fold_channel_shuffle
from ferry.graph.passes.fold_constants import fold_constants
from ferry.graph.passes.fold_local_response_norm import fold_local_response_norm
from ferry.graph.passes.fold_pad import fold_pad
from ferry.graph.passes.fold_pixel_shuffle import fold_pixel_shuffle
from ferry.graph.passes.fold_pool_flatten import fold_pool_flatten
from ferry.graph.passes.join_affines import join_affines
from ferry.graph.passes.join_channels import join_channels
from ferry.graph.passes.pool_after_conv import pool_after_conv
from ferry.graph.passes.push_scales import push_scales
from ferry.graph.passes.route_channels import route_channels
from ferry.graph.passes.split_groups import split_groups
from ferry.graph.passes.valid_names import make_names_valid

# They change what is computed, or how.
REWRITING: List[Pass] = [
    Pass(fold_constants, "first: all others recognise constants, and shapes that were computed, in initializers alone"),
    Pass(fold_local_response_norm, "before join_channels, which would take its factor and shift for a batch norm's"),
    Pass(join_channels, "before join_affines, which makes one batch norm of the factor and the shift that it leaves"),
    Pass(
        join_affines, "before fold_batch_norm, which folds one node into a layer where two would be in each other's way"
    ),
    Pass(fold_pad, "before fold_batch_norm, which may not move a shift into a convolution that pads"),
    Pass(fold_batch_norm, "before push_scales, which is for those that have no layer beside them"),
    Pass(push_scales, "before the passes that rearrange convolutions: it looks for the layers behind a batch norm"),
    Pass(pool_after_conv, "behind the passes that fold into a convolution: the average it makes has no scale to fold"),
    Pass(fold_channel_shuffle, "before route_channels, which does away with the gathers that it makes"),
    Pass(fold_pixel_shuffle, "behind the passes that fold into a convolution, whose filters it puts in another order"),
    Pass(route_channels, "before split_groups: it moves channels between whole convolutions"),
    Pass(split_groups, "behind all that look for convolutions: of one it makes many"),
    Pass(
        fold_pool_flatten, "behind push_scales, which follows a scale through the pool, and not through a mean it drops"
    ),
]
# They change what things are called.
NAMING: List[Pass] = [
    Pass(make_names_valid, "last: the passes before it make names of names"),
]
PASSES: List[Pass] = [*REWRITING, *NAMING]
