"""The catalogue: what each torch callable does to a distribution, as declarations.

One entry an operation: the paths under which it is reached (`F` stands for torch.nn.functional, `T` for a method of a
tensor), its parameters as
torch binds them, its kind, and an example that the tests run in torch and in the interpreter, to hold the claim
against the fact.
A trailing underscore (`x.log_()`) is the same operation in place and needs no entry.

Examples may use: `x` logits [2, 3, 4]; `p` and `q` distributions over dim 2 of that shape; `l` and `k` their
log-probabilities; `i` indices [2, 3]; `m` a mask.
"""

from __future__ import annotations

from dataclasses import dataclass

from kl_lint.flow import arithmetic as a
from kl_lint.flow.transfer import call, elementwise, joining, making, normalizing, reducing, selecting, shaping
from kl_lint.flow.values import Space

__all__ = ["CATALOGUE", "MODULES", "ModuleOperation", "Operation", "Parameter", "parameters"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a signature. `rest`: it takes all further positional arguments."""

    name: str
    rest: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One torch operation under all its paths."""

    paths: str
    signature: str
    effect: call.Effect
    example: str = ""

    @property
    def label(self) -> str:
        """Its short name, as a trace says it."""
        return self.paths.split()[0].rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class ModuleOperation:
    """An nn.Module: its constructor's parameters, and what calling it does to its input."""

    names: str
    signature: str
    effect: call.Effect
    example: str = ""
    call: str = "input"


def parameters(signature: str) -> tuple[Parameter, ...]:
    """The parameters of a signature text; `*sizes` takes the rest."""
    return tuple(Parameter(word.lstrip("*"), word.startswith("*")) for word in signature.split())


Op = Operation
Mod = ModuleOperation

OPERATIONS: tuple[Operation, ...] = (
    # --- makes a distribution along dim
    Op("F.softmax", "input dim _stacklevel dtype", normalizing.normalize(Space.PROBS), "F.softmax(x, 2)"),
    Op(
        "torch.softmax torch.special.softmax torch.sparse.softmax",
        "input dim dtype",
        normalizing.normalize(Space.PROBS),
        "torch.softmax(x, dim=-1)",
    ),
    Op("T.softmax", "input dim dtype", normalizing.normalize(Space.PROBS), "x.softmax(1)"),
    Op(
        "torch.masked.softmax", "input dim dtype mask", normalizing.normalize(Space.PROBS), "torch.masked.softmax(x, 2)"
    ),
    Op(
        "F.softmin",
        "input dim _stacklevel dtype",
        normalizing.normalize(Space.PROBS, negated=True),
        "F.softmin(x, dim=2)",
    ),
    Op(
        "torch.masked.softmin",
        "input dim dtype mask",
        normalizing.normalize(Space.PROBS, negated=True),
        "torch.masked.softmin(x, 1)",
    ),
    Op(
        "F.log_softmax",
        "input dim _stacklevel dtype",
        normalizing.normalize(Space.LOG_PROBS),
        "F.log_softmax(x, dim=2)",
    ),
    Op(
        "torch.log_softmax torch.special.log_softmax torch.sparse.log_softmax",
        "input dim dtype",
        normalizing.normalize(Space.LOG_PROBS),
        "torch.log_softmax(x, 1)",
    ),
    Op("T.log_softmax", "input dim dtype", normalizing.normalize(Space.LOG_PROBS), "x.log_softmax(dim=-1)"),
    Op(
        "torch.masked.log_softmax",
        "input dim dtype mask",
        normalizing.normalize(Space.LOG_PROBS),
        "torch.masked.log_softmax(x, 2)",
    ),
    Op("F.gumbel_softmax", "input tau hard eps dim", normalizing.gumbel, "F.gumbel_softmax(x, tau=0.5)"),
    Op("F.one_hot", "input num_classes", normalizing.one_hot, "F.one_hot(i, 5).double()"),
    Op("F.normalize", "input p dim eps out", normalizing.lp_normalize, "F.normalize(x.exp(), p=1, dim=2)"),
    # --- sigmoid: each element by itself
    Op(
        "torch.sigmoid T.sigmoid F.sigmoid torch.special.expit",
        "input",
        normalizing.sigmoid(Space.PROBS),
        "torch.sigmoid(x)",
    ),
    Op("F.hardsigmoid", "input inplace", normalizing.sigmoid(Space.PROBS), "F.hardsigmoid(x)"),
    Op("F.logsigmoid torch.special.log_ndtr", "input", normalizing.sigmoid(Space.LOG_PROBS), "F.logsigmoid(x)"),
    # --- between the spaces
    Op("torch.log T.log", "input", normalizing.logarithm, "torch.log(p)"),
    Op("torch.exp T.exp", "input", normalizing.exponential, "l.exp()"),
    Op("torch.log2 T.log2", "input", normalizing.wrong_logarithm, "torch.log2(p)"),
    Op("torch.log10 T.log10", "input", normalizing.wrong_logarithm, "torch.log10(p)"),
    Op("torch.log1p T.log1p torch.special.log1p", "input", normalizing.wrong_logarithm, "torch.log1p(p)"),
    Op("torch.exp2 T.exp2 torch.special.exp2", "input", elementwise.elementwise, "torch.exp2(l)"),
    Op("torch.expm1 T.expm1 torch.special.expm1", "input", normalizing.expm1, "torch.expm1(l) + 1"),
    # --- keeps it
    Op("T.detach", "input", elementwise.detach, "p.detach()"),
    Op("torch.clone T.clone", "input memory_format", elementwise.copy_of, "l.clone()"),
    Op("T.contiguous", "input memory_format", elementwise.keep, "p.contiguous()"),
    Op("T.cpu", "input", elementwise.keep, "p.cpu()"),
    Op("T.cuda", "input device non_blocking", elementwise.keep),
    Op("T.to", "input *rest dtype", elementwise.converted, "p.to(torch.float32)"),
    Op("T.type", "input dtype", elementwise.converted, "l.type(torch.float32)"),
    Op("T.type_as", "input other", elementwise.keep, "p.type_as(x)"),
    Op("T.float", "input", elementwise.keep, "p.float()"),
    Op("T.double", "input", elementwise.keep, "l.double()"),
    Op("T.half", "input", elementwise.rounded, "p.half()"),
    Op("T.bfloat16", "input", elementwise.rounded, "p.bfloat16()"),
    Op("T.requires_grad_", "input requires_grad", elementwise.requires_grad, "p.detach().requires_grad_()"),
    Op("T.pin_memory", "input", elementwise.keep),
    Op("torch.nan_to_num T.nan_to_num", "input nan posinf neginf", elementwise.nan_to_num, "torch.nan_to_num(p)"),
    Op("T.numpy", "input", elementwise.keep, "torch.from_numpy(p.numpy())"),
    Op("T.tolist", "input", elementwise.keep, "torch.tensor(p.tolist())"),
    Op("torch.from_numpy torch.as_tensor torch.asarray", "input dtype device", making.from_data, "torch.as_tensor(p)"),
    Op("torch.autograd.Variable", "input requires_grad volatile", elementwise.keep, "torch.autograd.Variable(p)"),
    Op(
        "torch.nn.Parameter torch.nn.parameter.Parameter",
        "input requires_grad",
        elementwise.requires_grad,
        "torch.nn.Parameter(l)",
    ),
    Op(
        "torch.distributed.nn.functional.all_reduce torch.distributed.nn.all_reduce", "input op group", elementwise.keep
    ),
    Op("torch.clamp T.clamp torch.clip T.clip", "input min max", elementwise.clamp, "torch.clamp(p, min=1e-8)"),
    Op("torch.clamp_min T.clamp_min", "input min", elementwise.clamp, "p.clamp_min(1e-9)"),
    Op("torch.clamp_max T.clamp_max", "input max", elementwise.elementwise, "p.clamp_max(0.5)"),
    Op("torch.maximum T.maximum", "input other", elementwise.maximum, "torch.maximum(p, torch.tensor(1e-8))"),
    Op("torch.minimum T.minimum", "input other", elementwise.pairwise, "torch.minimum(p, q)"),
    # --- moves it
    Op("torch.unsqueeze T.unsqueeze", "input dim", shaping.unsqueeze, "p.unsqueeze(0)"),
    Op("torch.squeeze T.squeeze", "input dim", shaping.squeeze, "p.unsqueeze(0).squeeze(0)"),
    Op("torch.permute T.permute", "input *dims", shaping.permute, "p.permute(2, 0, 1)"),
    Op(
        "torch.transpose T.transpose torch.swapaxes T.swapaxes torch.swapdims T.swapdims",
        "input dim0 dim1",
        shaping.transpose,
        "p.transpose(1, 2)",
    ),
    Op("torch.t T.t", "input", shaping.flip_two, "p[0].t()"),
    Op(
        "torch.movedim T.movedim torch.moveaxis T.moveaxis",
        "input source destination",
        shaping.movedim,
        "torch.randn(2, 3, 4).softmax(2).movedim(2, 0)",
    ),
    Op("T.view T.reshape", "input *shape", shaping.reshape, "p.view(-1, p.size(-1))"),
    Op("torch.reshape", "input shape", shaping.reshape, "torch.reshape(l, (-1, l.shape[-1]))"),
    Op(
        "torch.flatten T.flatten",
        "input start_dim end_dim",
        shaping.flatten,
        "torch.randn(2, 3, 4).softmax(2).flatten(0, 1)",
    ),
    Op("torch.ravel T.ravel", "input", shaping.flatten, "p.ravel()"),
    Op("torch.unflatten T.unflatten", "input dim sizes", elementwise.blur, "p.unflatten(2, (2, 2))"),
    Op("T.expand", "input *sizes", shaping.expand, "p.expand(5, 2, 3, 4)"),
    Op("T.expand_as", "input other", shaping.expand, "p[0].expand_as(x)"),
    Op("T.view_as T.reshape_as", "input other", elementwise.blur, "p.view_as(x)"),
    Op("T.repeat T.tile", "input *dims", shaping.repeat, "p.repeat(2, 1, 1)"),
    Op("torch.tile", "input dims", shaping.repeat, "torch.tile(p, (2, 1, 1))"),
    Op(
        "torch.repeat_interleave T.repeat_interleave",
        "input repeats dim",
        shaping.repeated,
        "p.repeat_interleave(2, dim=0)",
    ),
    Op("torch.flip T.flip", "input *dims", selecting.reordered, "p.flip(-1)"),
    Op("torch.roll T.roll", "input shifts dims", selecting.roll, "p.roll(1, -1)"),
    Op("torch.sort T.sort", "input dim descending", selecting.with_indices(selecting.sort), "p.sort(-1).values"),
    # --- takes part of it
    Op("torch.gather T.gather", "input dim index", selecting.chosen, "p.gather(2, i.unsqueeze(2))"),
    Op(
        "torch.take_along_dim T.take_along_dim",
        "input index dim",
        selecting.chosen,
        "p.take_along_dim(i.unsqueeze(2), 2)",
    ),
    Op(
        "torch.index_select T.index_select",
        "input dim index",
        selecting.chosen,
        "torch.randn(2, 3, 4).softmax(2).index_select(2, torch.tensor([0, 1]))",
    ),
    Op("torch.narrow T.narrow", "input dim start length", selecting.chosen, "p.narrow(2, 0, 2)"),
    Op(
        "torch.topk T.topk",
        "input k dim largest sorted",
        selecting.with_indices(selecting.topk),
        "p.topk(2, dim=2).values",
    ),
    Op("torch.select T.select", "input dim index", selecting.picked, "p.select(2, 0)"),
    Op("torch.masked_select T.masked_select", "input mask", selecting.masked_select, "p.masked_select(m)"),
    Op("torch.take T.take", "input index", selecting.masked_select, "p.take(torch.tensor([0, 5]))"),
    Op(
        "torch.chunk T.chunk torch.tensor_split T.tensor_split",
        "input chunks dim",
        selecting.pieces,
        "p.chunk(2, 0)[0]",
    ),
    Op("torch.split T.split", "input split_size dim", selecting.pieces, "p.split(1, dim=1)[0]"),
    Op("torch.unbind T.unbind", "input dim", selecting.pieces, "p.unbind(0)[0]"),
    Op(
        "torch.diagonal T.diagonal torch.diag T.diag", "input offset dim1 dim2", shaping.diagonal, "p.diagonal(0, 1, 2)"
    ),
    Op("torch.tril T.tril", "input diagonal", elementwise.blur, "p.tril()"),
    Op("torch.triu T.triu", "input diagonal", elementwise.blur, "p.triu()"),
    # --- joins several
    Op("torch.cat torch.concat torch.concatenate", "tensors dim", joining.concatenate, "torch.cat([p, q], dim=0)"),
    Op("torch.stack", "tensors dim", joining.stack, "torch.stack([p, q], 0)"),
    Op("torch.vstack torch.row_stack", "tensors", joining.concatenate, "torch.vstack([p, q])"),
    Op("torch.hstack torch.dstack torch.column_stack", "tensors", joining.joined_anyhow, "torch.hstack([p, q])"),
    Op("torch.where", "condition input other", joining.where, "torch.where(m, p, q)"),
    Op("T.where", "input condition other", joining.where, "p.where(m, q)"),
    Op("torch.lerp T.lerp", "input end weight", joining.lerp, "torch.lerp(p, q, 0.3)"),
    Op("torch.logaddexp T.logaddexp", "input other", reducing.logaddexp, "torch.logaddexp(l, k)"),
    # --- writes into it
    Op("torch.masked_fill T.masked_fill", "input mask value", joining.masked_fill, "p.masked_fill(m, 0.0)"),
    Op(
        "torch.index_fill T.index_fill",
        "input dim index value",
        joining.masked_fill,
        "l.index_fill(2, torch.tensor([0]), -1e9)",
    ),
    Op("torch.masked_scatter T.masked_scatter", "input mask source", joining.masked_fill, "p.masked_scatter(m, q)"),
    Op(
        "torch.scatter T.scatter",
        "input dim index src value",
        joining.scatter,
        "torch.zeros(2, 3, 4).scatter_(2, i.unsqueeze(2), 1.0)",
    ),
    Op(
        "torch.scatter_add T.scatter_add torch.index_add T.index_add",
        "input dim index src",
        joining.accumulated,
        "p.scatter_add(2, i.unsqueeze(2), q)",
    ),
    Op(
        "torch.index_copy T.index_copy",
        "input dim index src",
        joining.masked_fill,
        "p.index_copy(0, torch.tensor([1]), q[:1])",
    ),
    Op(
        "torch.index_put T.index_put",
        "input indices values",
        joining.masked_fill,
        "p.index_put((torch.tensor([0]),), q[0])",
    ),
    Op("T.fill torch.fill", "input value", joining.fill_with, "torch.zeros(2, 3).fill_(0.25)"),
    Op("T.zero", "input", joining.fill_with, "x.clone().zero_()"),
    Op("T.copy", "input src", elementwise.copied, "x.clone().copy_(p)"),
    # --- reduces it
    Op("torch.sum T.sum", "input dim keepdim dtype", reducing.reduce("sum"), "p.sum(1)"),
    Op("torch.nansum T.nansum", "input dim keepdim dtype", reducing.reduce("sum"), "p.nansum(1)"),
    Op(
        "torch.mean T.mean torch.nanmean T.nanmean",
        "input dim keepdim dtype",
        reducing.reduce("mean"),
        "torch.randn(2, 3, 4).softmax(2).mean(0)",
    ),
    Op("torch.amax T.amax torch.amin T.amin", "input dim keepdim", reducing.reduce("max"), "p.amax(0)"),
    Op("torch.max T.max torch.min T.min", "input dim keepdim", reducing.extreme, "p.max(1).values"),
    Op(
        "torch.median T.median torch.nanmedian T.nanmedian", "input dim keepdim", reducing.extreme, "p.median(1).values"
    ),
    Op("torch.mode T.mode", "input dim keepdim", reducing.extreme_of_last, "p.mode().values"),
    Op("torch.kthvalue T.kthvalue", "input k dim keepdim", reducing.extreme_of_last, "p.kthvalue(2, 1).values"),
    Op(
        "torch.logsumexp T.logsumexp torch.special.logsumexp",
        "input dim keepdim",
        reducing.logsumexp,
        "torch.logsumexp(l, 0)",
    ),
    Op("torch.norm T.norm", "input p dim keepdim dtype", reducing.norm, "p.norm(p=1, dim=2, keepdim=True)"),
    Op("torch.prod T.prod torch.std T.std torch.var T.var", "input dim keepdim", elementwise.lose, "p.std(1)"),
    Op("torch.argmax T.argmax torch.argmin T.argmin", "input dim keepdim", selecting.argmax, "p.argmax(-1)"),
    Op("torch.argsort T.argsort", "input dim descending", selecting.argsort, "p.argsort(-1)"),
    Op(
        "torch.multinomial T.multinomial",
        "input num_samples replacement",
        selecting.sampled_indices,
        "torch.multinomial(p[0], 2)",
    ),
    Op("torch.bincount T.bincount torch.histc T.histc", "input bins", selecting.counts, "torch.bincount(i.flatten())"),
    # --- loses it
    Op("F.relu torch.relu T.relu F.relu6", "input inplace", elementwise.nonnegative, "F.relu(l)"),
    Op("torch.abs T.abs torch.absolute T.absolute", "input", elementwise.nonnegative, "torch.abs(x)"),
    Op("torch.square T.square F.softplus", "input", elementwise.nonnegative, "torch.square(x)"),
    Op("torch.sqrt T.sqrt", "input", elementwise.power, "p.sqrt()"),
    Op("torch.pow T.pow", "input exponent", elementwise.power, "p.pow(2)"),
    Op(
        "F.leaky_relu F.elu F.gelu F.silu F.mish F.selu F.tanh torch.tanh T.tanh F.softsign",
        "input *rest",
        elementwise.elementwise,
        "torch.tanh(l)",
    ),
    Op("F.glu F.threshold F.hardtanh F.hardswish", "input *rest", elementwise.elementwise, "F.hardtanh(l)"),
    Op(
        "torch.cumsum T.cumsum torch.cumprod T.cumprod torch.logcumsumexp T.logcumsumexp",
        "input dim",
        elementwise.elementwise,
        "p.cumsum(-1)",
    ),
    Op("torch.logit T.logit torch.special.logit", "input eps", elementwise.elementwise, "torch.logit(p)"),
    Op(
        "torch.special.entr torch.round T.round torch.sign T.sign torch.floor torch.ceil T.sin T.cos",
        "input",
        elementwise.elementwise,
        "torch.special.entr(p)",
    ),
    Op(
        "torch.reciprocal T.reciprocal torch.rsqrt T.rsqrt torch.erf T.erf",
        "input",
        elementwise.elementwise,
        "torch.reciprocal(p)",
    ),
    Op("torch.xlogy T.xlogy torch.special.xlogy", "input other", elementwise.pairwise, "torch.xlogy(p, p)"),
    Op(
        "F.dropout torch.dropout F.dropout2d F.alpha_dropout",
        "input p training inplace",
        elementwise.dropout,
        "F.dropout(p, 0.5, training=False)",
    ),
    Op(
        "F.layer_norm F.batch_norm F.group_norm F.instance_norm F.rms_norm",
        "input *rest",
        elementwise.elementwise,
        "F.layer_norm(p, (4,))",
    ),
    Op("F.pad", "input pad mode value", selecting.pad, "F.pad(p, (0, 1))"),
    Op(
        "F.interpolate F.avg_pool1d F.avg_pool2d F.max_pool1d F.max_pool2d F.adaptive_avg_pool2d",
        "input *rest",
        selecting.pool,
        "F.avg_pool1d(p, 2)",
    ),
    Op("torch.matmul T.matmul", "input other", reducing.product, "torch.matmul(p, x.transpose(1, 2))"),
    Op("torch.mm T.mm", "input mat2", reducing.product_of_rank(2), "torch.mm(p[0], x[0].t())"),
    Op("torch.bmm T.bmm", "input mat2", reducing.product_of_rank(3), "torch.bmm(p, x.transpose(1, 2))"),
    Op("torch.mv T.mv", "input vec", reducing.product_of_rank(1), "torch.mv(p[0], x[0, 0])"),
    Op("torch.einsum", "equation *operands", elementwise.lose, "torch.einsum('btc,btc->bt', p, q)"),
    Op(
        "F.cosine_similarity torch.cdist F.pairwise_distance",
        "x1 x2 dim",
        reducing.similarity,
        "F.cosine_similarity(p, q, dim=-1)",
    ),
    Op(
        "F.scaled_dot_product_attention", "query key value", elementwise.lose, "F.scaled_dot_product_attention(x, x, x)"
    ),
    Op(
        "F.cross_entropy F.nll_loss F.mse_loss F.l1_loss F.binary_cross_entropy",
        "input target *rest",
        elementwise.lose,
        "F.mse_loss(p, q)",
    ),
    # --- raw scores
    Op("F.linear F.bilinear", "input weight bias", elementwise.logits, "F.linear(x, torch.randn(6, 4, dtype=x.dtype))"),
    Op(
        "F.conv1d F.conv2d F.conv3d F.conv_transpose2d",
        "input weight bias *rest",
        elementwise.logits,
        "F.conv1d(x, torch.randn(5, 3, 1, dtype=x.dtype))",
    ),
    # --- factories
    Op("torch.zeros", "*size", making.filled(0.0), "torch.zeros(2, 3)"),
    Op("torch.ones", "*size", making.filled(1.0), "torch.ones(2, 3)"),
    Op("torch.full", "size fill_value", making.filled(None), "torch.full((2, 4), 0.25)"),
    Op("torch.zeros_like", "input", making.filled(0.0), "torch.zeros_like(x)"),
    Op("torch.ones_like", "input", making.filled(1.0), "torch.ones_like(x)"),
    Op("T.new_zeros", "input *size", making.new_filled(0.0), "x.new_zeros(2, 5)"),
    Op("T.new_ones", "input *size", making.new_filled(1.0), "x.new_ones((2, 5))"),
    Op("torch.full_like", "input fill_value", making.filled(None), "torch.full_like(x, 0.25)"),
    Op("T.new_full", "input size fill_value", making.new_full, "x.new_full((2, 4), 0.25)"),
    Op("torch.empty torch.empty_like T.new_empty", "input *size", making.uninitialized, "torch.empty_like(x)"),
    Op("torch.rand", "*size", making.uniform_noise, "torch.rand(2, 3)"),
    Op("torch.randn", "*size", making.noise, "torch.randn(2, 3)"),
    Op("torch.rand_like", "input", making.uniform_noise_like, "torch.rand_like(x)"),
    Op("torch.randn_like", "input", making.noise_like, "torch.randn_like(x)"),
    Op("torch.normal", "mean std size", making.normal, "torch.normal(0.0, 1.0, (2, 3))"),
    Op("torch.randint torch.arange", "*size", making.random_indices, "torch.randint(0, 4, (2, 3))"),
    Op("torch.randperm", "*size", making.random_indices, "torch.randperm(4)"),
    Op("torch.eye", "n m", making.identity_matrix, "torch.eye(4)"),
    Op("torch.tensor", "data dtype device requires_grad", making.literal, "torch.tensor([[0.3, 0.7], [0.4, 0.6]])"),
    Op(
        "torch.Tensor torch.FloatTensor torch.DoubleTensor",
        "*size",
        making.legacy_tensor,
        "torch.Tensor([[0, 1], [1, 0]])",
    ),
    Op("torch.LongTensor torch.IntTensor", "*size", making.random_indices, "torch.LongTensor([1, 2])"),
    Op("T.long T.int", "input", elementwise.to_integers, "i.long()"),
    # --- fills or changes it in place, to something of which nothing is proved
    Op(
        "T.uniform T.normal T.log_normal T.bernoulli T.exponential T.geometric T.cauchy T.random",
        "input",
        elementwise.scrambled,
        "p.uniform_()",
    ),
    Op(
        "T.addcmul T.addcdiv T.addmm T.addmv T.addr T.addbmm T.baddbmm T.renorm T.put T.fill_diagonal T.scatter_reduce "
        "T.index_reduce T.resize T.resize_as",
        "input *rest",
        elementwise.lose,
        "p.addcmul_(q, q)",
    ),
    Op(
        "T.floor T.ceil T.trunc T.fix T.frac T.fmod T.remainder T.floor_divide T.float_power T.copysign T.ldexp "
        "T.heaviside T.hypot T.nextafter T.sgn",
        "input *rest",
        elementwise.lose,
        "p.floor_()",
    ),
    Op(
        "T.eq T.ne T.not_equal T.lt T.less T.le T.less_equal T.gt T.greater T.ge T.greater_equal",
        "input other",
        elementwise.lose,
        "p.ge_(0.2)",
    ),
    Op(
        "T.acos T.arccos T.acosh T.arccosh T.asin T.arcsin T.asinh T.arcsinh T.atan T.arctan T.atanh T.arctanh "
        "T.atan2 T.arctan2 T.sinh T.cosh T.tan T.sinc",
        "input *rest",
        elementwise.lose,
        "p.sinh_()",
    ),
    Op(
        "T.erfc T.erfinv T.digamma T.lgamma T.mvlgamma T.polygamma T.igamma T.igammac T.i0 T.deg2rad T.rad2deg",
        "input *rest",
        elementwise.lose,
        "p.erfinv_()",
    ),
    # --- arrays of numpy, on their way to a tensor
    Op("T.astype", "input dtype", making.of_array(elementwise.keep), "torch.from_numpy(p.numpy().astype('float64'))"),
    Op(
        "numpy.asarray numpy.array numpy.ascontiguousarray",
        "input dtype",
        making.of_array(making.from_data),
        "torch.from_numpy(numpy.asarray(p.numpy()))",
    ),
    Op("numpy.log", "input", making.of_array(normalizing.logarithm), "torch.from_numpy(numpy.log(p.numpy()))"),
    Op("numpy.exp", "input", making.of_array(normalizing.exponential), "torch.from_numpy(numpy.exp(l.numpy()))"),
    Op(
        "numpy.abs numpy.absolute",
        "input",
        making.of_array(elementwise.nonnegative),
        "torch.from_numpy(numpy.abs(x.numpy()))",
    ),
    Op(
        "numpy.sum",
        "input dim dtype out keepdim",
        making.of_array(reducing.reduce("sum")),
        "torch.from_numpy(numpy.sum(p.numpy(), 1))",
    ),
    Op(
        "numpy.clip",
        "input min max",
        making.of_array(elementwise.clamp),
        "torch.from_numpy(numpy.clip(p.numpy(), 1e-8, 1.0))",
    ),
    Op(
        "numpy.maximum",
        "input other",
        making.of_array(elementwise.maximum),
        "torch.from_numpy(numpy.maximum(p.numpy(), 1e-8))",
    ),
    Op(
        "numpy.where",
        "condition input other",
        making.of_array(joining.where),
        "torch.from_numpy(numpy.where(m.numpy(), p.numpy(), q.numpy()))",
    ),
    Op(
        "numpy.stack",
        "tensors dim",
        making.of_array(joining.stack),
        "torch.from_numpy(numpy.stack([p.numpy(), q.numpy()], axis=0))",
    ),
    Op(
        "numpy.concatenate",
        "tensors dim",
        making.of_array(joining.concatenate),
        "torch.from_numpy(numpy.concatenate([p.numpy(), q.numpy()], axis=0))",
    ),
    # --- operators as functions
    Op("torch.add T.add", "input other alpha", a.operator("add"), "torch.add(p, q)"),
    Op("torch.sub torch.subtract T.sub T.subtract", "input other alpha", a.operator("sub"), "torch.sub(l, k)"),
    Op("torch.mul torch.multiply T.mul T.multiply", "input other", a.operator("mul"), "torch.mul(p, 0.5)"),
    Op(
        "torch.div torch.divide torch.true_divide T.div T.divide T.true_divide",
        "input other rounding_mode",
        a.operator("div"),
        "torch.div(p, p.sum(2, keepdim=True))",
    ),
    Op("torch.neg torch.negative T.neg T.negative", "input", a.negated, "torch.neg(l)"),
)

MODULE_OPERATIONS: tuple[ModuleOperation, ...] = (
    Mod("Softmax", "dim", normalizing.normalize(Space.PROBS), "torch.nn.Softmax(dim=2)(x)"),
    Mod("LogSoftmax", "dim", normalizing.normalize(Space.LOG_PROBS), "torch.nn.LogSoftmax(2)(x)"),
    Mod("Softmin", "dim", normalizing.normalize(Space.PROBS, negated=True), "torch.nn.Softmin(1)(x)"),
    Mod("Softmax2d", "", normalizing.softmax2d, "torch.nn.Softmax2d()(torch.randn(2, 5, 3, 4))"),
    Mod("Sigmoid", "", normalizing.sigmoid(Space.PROBS), "torch.nn.Sigmoid()(x)"),
    Mod("Hardsigmoid", "inplace", normalizing.sigmoid(Space.PROBS), "torch.nn.Hardsigmoid()(x)"),
    Mod("LogSigmoid", "", normalizing.sigmoid(Space.LOG_PROBS), "torch.nn.LogSigmoid()(x)"),
    Mod("Identity", "", elementwise.keep, "torch.nn.Identity()(p)"),
    Mod("Linear", "in_features out_features bias", elementwise.logits, "torch.nn.Linear(4, 6).double()(x)"),
    Mod(
        "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d",
        "in_channels out_channels kernel_size",
        elementwise.logits,
        "torch.nn.Conv1d(3, 5, 1).double()(x)",
    ),
    Mod("LazyLinear LazyConv2d", "out_features", elementwise.logits, "torch.nn.LazyLinear(6).double()(x)"),
    Mod(
        "Bilinear",
        "in1_features in2_features out_features",
        elementwise.logits,
        "torch.nn.Bilinear(4, 4, 6).double()(x, x)",
    ),
    Mod("Embedding", "num_embeddings embedding_dim", selecting.embedding, "torch.nn.Embedding(9, 5)(i)"),
    Mod("ReLU ReLU6", "inplace", elementwise.nonnegative, "torch.nn.ReLU()(l)"),
    Mod("Softplus", "beta threshold", elementwise.nonnegative, "torch.nn.Softplus()(l)"),
    Mod("GELU ELU SELU SiLU Mish Tanh LeakyReLU Hardswish Hardtanh", "", elementwise.elementwise, "torch.nn.Tanh()(l)"),
    Mod("Dropout Dropout1d Dropout2d AlphaDropout", "p inplace", elementwise.dropout, "torch.nn.Dropout(0.5)(p)"),
    Mod(
        "LayerNorm BatchNorm1d BatchNorm2d GroupNorm InstanceNorm2d RMSNorm PReLU",
        "shape",
        elementwise.learned,
        "torch.nn.LayerNorm(4).double()(p)",
    ),
    Mod("Flatten", "start_dim end_dim", shaping.module_flatten, "torch.nn.Flatten()(p)"),
    Mod(
        "AvgPool1d AvgPool2d MaxPool1d MaxPool2d AdaptiveAvgPool2d AdaptiveMaxPool2d Upsample",
        "size",
        selecting.pool,
        "torch.nn.AvgPool1d(2)(p)",
    ),
    Mod("CosineSimilarity", "dim eps", reducing.similarity, "torch.nn.CosineSimilarity(dim=-1)(p, q)", call="x1 x2"),
    Mod(
        "MultiheadAttention",
        "embed_dim num_heads dropout",
        reducing.attention,
        "torch.nn.MultiheadAttention(4, 2).double()(x, x, x)[1]",
        call="query key value need_weights",
    ),
)

FUNCTIONAL = "torch.nn.functional"


def _expanded(path: str) -> str:
    head, _, name = path.rpartition(".")
    return f"{FUNCTIONAL}.{name}" if head == "F" else path


CATALOGUE: dict[str, Operation] = {
    _expanded(path): operation for operation in OPERATIONS for path in operation.paths.split()
}
"""Operations by full path: `torch.nn.functional.softmax`, `T.softmax`."""

MODULES: dict[str, ModuleOperation] = {
    name: operation for operation in MODULE_OPERATIONS for name in operation.names.split()
}
"""Modules by class name."""
