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

from kl_lint.flow import arithmetic as a, tensors as t
from kl_lint.flow.values import Space

__all__ = ["CATALOGUE", "MODULES", "ModuleOperation", "Operation", "Parameter", "parameters"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a signature. `rest`: it takes all further positional arguments."""

    name: str
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One torch operation under all its paths."""

    paths: str
    signature: str
    effect: t.Effect
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
    effect: t.Effect
    example: str = ""
    call: str = "input"

    @property
    def label(self) -> str:
        """Its class name."""
        return self.names.split()[0]


def parameters(signature: str) -> tuple[Parameter, ...]:
    """The parameters of a signature text; `*sizes` takes the rest."""
    return tuple(Parameter(word.lstrip("*"), word.startswith("*")) for word in signature.split())


Op = Operation
Mod = ModuleOperation

OPERATIONS: tuple[Operation, ...] = (
    # --- makes a distribution along dim
    Op("F.softmax", "input dim _stacklevel dtype", t.normalize(Space.PROBS), "F.softmax(x, 2)"),
    Op(
        "torch.softmax torch.special.softmax torch.sparse.softmax",
        "input dim dtype",
        t.normalize(Space.PROBS),
        "torch.softmax(x, dim=-1)",
    ),
    Op("T.softmax", "input dim dtype", t.normalize(Space.PROBS), "x.softmax(1)"),
    Op("torch.masked.softmax", "input dim dtype mask", t.normalize(Space.PROBS), "torch.masked.softmax(x, 2)"),
    Op("F.softmin", "input dim _stacklevel dtype", t.normalize(Space.PROBS, sign=-1), "F.softmin(x, dim=2)"),
    Op("torch.masked.softmin", "input dim dtype mask", t.normalize(Space.PROBS, sign=-1), "torch.masked.softmin(x, 1)"),
    Op("F.log_softmax", "input dim _stacklevel dtype", t.normalize(Space.LOG_PROBS), "F.log_softmax(x, dim=2)"),
    Op(
        "torch.log_softmax torch.special.log_softmax torch.sparse.log_softmax",
        "input dim dtype",
        t.normalize(Space.LOG_PROBS),
        "torch.log_softmax(x, 1)",
    ),
    Op("T.log_softmax", "input dim dtype", t.normalize(Space.LOG_PROBS), "x.log_softmax(dim=-1)"),
    Op(
        "torch.masked.log_softmax",
        "input dim dtype mask",
        t.normalize(Space.LOG_PROBS),
        "torch.masked.log_softmax(x, 2)",
    ),
    Op("F.gumbel_softmax", "input tau hard eps dim", t.gumbel, "F.gumbel_softmax(x, tau=0.5)"),
    Op("F.one_hot", "input num_classes", t.one_hot, "F.one_hot(i, 5).double()"),
    Op("F.normalize", "input p dim eps out", t.lp_normalize, "F.normalize(x.exp(), p=1, dim=2)"),
    # --- sigmoid: each element by itself
    Op("torch.sigmoid T.sigmoid F.sigmoid torch.special.expit", "input", t.sigmoid(Space.PROBS), "torch.sigmoid(x)"),
    Op("F.hardsigmoid", "input inplace", t.sigmoid(Space.PROBS), "F.hardsigmoid(x)"),
    Op("F.logsigmoid torch.special.log_ndtr", "input", t.sigmoid(Space.LOG_PROBS), "F.logsigmoid(x)"),
    # --- between the spaces
    Op("torch.log T.log", "input", t.logarithm, "torch.log(p)"),
    Op("torch.exp T.exp", "input", t.exponential, "l.exp()"),
    Op("torch.log2 T.log2", "input", t.wrong_logarithm, "torch.log2(p)"),
    Op("torch.log10 T.log10", "input", t.wrong_logarithm, "torch.log10(p)"),
    Op("torch.log1p T.log1p torch.special.log1p", "input", t.wrong_logarithm, "torch.log1p(p)"),
    Op("torch.exp2 T.exp2 torch.special.exp2", "input", t.elementwise, "torch.exp2(l)"),
    Op("torch.expm1 T.expm1 torch.special.expm1", "input", t.expm1, "torch.expm1(l) + 1"),
    # --- keeps it
    Op("T.detach", "input", t.detach, "p.detach()"),
    Op("torch.clone T.clone", "input memory_format", t.copy_of, "l.clone()"),
    Op("T.contiguous", "input memory_format", t.keep, "p.contiguous()"),
    Op("T.cpu", "input", t.keep, "p.cpu()"),
    Op("T.cuda", "input device non_blocking", t.keep),
    Op("T.to", "input *rest", t.keep, "p.to(torch.float32)"),
    Op("T.type", "input dtype", t.keep, "l.type(torch.float32)"),
    Op("T.type_as", "input other", t.keep, "p.type_as(x)"),
    Op("T.float", "input", t.keep, "p.float()"),
    Op("T.double", "input", t.keep, "l.double()"),
    Op("T.half", "input", t.keep, "p.half()"),
    Op("T.bfloat16", "input", t.keep, "p.bfloat16()"),
    Op("T.requires_grad_", "input requires_grad", t.requires_grad, "p.detach().requires_grad_()"),
    Op("T.pin_memory", "input", t.keep),
    Op("torch.nan_to_num T.nan_to_num", "input nan posinf neginf", t.nan_to_num, "torch.nan_to_num(p)"),
    Op("T.numpy", "input", t.keep, "torch.from_numpy(p.numpy())"),
    Op("T.tolist", "input", t.keep, "torch.tensor(p.tolist())"),
    Op("torch.from_numpy torch.as_tensor torch.asarray", "input dtype device", t.from_data, "torch.as_tensor(p)"),
    Op("torch.autograd.Variable", "input requires_grad volatile", t.keep, "torch.autograd.Variable(p)"),
    Op(
        "torch.nn.Parameter torch.nn.parameter.Parameter",
        "input requires_grad",
        t.requires_grad,
        "torch.nn.Parameter(l)",
    ),
    Op("torch.distributed.nn.functional.all_reduce torch.distributed.nn.all_reduce", "input op group", t.keep),
    Op("torch.clamp T.clamp torch.clip T.clip", "input min max", t.clamp, "torch.clamp(p, min=1e-8)"),
    Op("torch.clamp_min T.clamp_min", "input min", t.clamp, "p.clamp_min(1e-9)"),
    Op("torch.clamp_max T.clamp_max", "input max", t.elementwise, "p.clamp_max(0.5)"),
    Op("torch.maximum T.maximum", "input other", t.maximum, "torch.maximum(p, torch.tensor(1e-8))"),
    Op("torch.minimum T.minimum", "input other", t.pairwise, "torch.minimum(p, q)"),
    # --- moves it
    Op("torch.unsqueeze T.unsqueeze", "input dim", t.unsqueeze, "p.unsqueeze(0)"),
    Op("torch.squeeze T.squeeze", "input dim", t.squeeze, "p.unsqueeze(0).squeeze(0)"),
    Op("torch.permute T.permute", "input *dims", t.permute, "p.permute(2, 0, 1)"),
    Op(
        "torch.transpose T.transpose torch.swapaxes T.swapaxes torch.swapdims T.swapdims",
        "input dim0 dim1",
        t.transpose,
        "p.transpose(1, 2)",
    ),
    Op("torch.t T.t", "input", t.flip_two, "p[0].t()"),
    Op(
        "torch.movedim T.movedim torch.moveaxis T.moveaxis",
        "input source destination",
        t.movedim,
        "torch.randn(2, 3, 4).softmax(2).movedim(2, 0)",
    ),
    Op("T.view T.reshape", "input *shape", t.reshape, "p.view(-1, p.size(-1))"),
    Op("torch.reshape", "input shape", t.reshape, "torch.reshape(l, (-1, l.shape[-1]))"),
    Op(
        "torch.flatten T.flatten", "input start_dim end_dim", t.flatten, "torch.randn(2, 3, 4).softmax(2).flatten(0, 1)"
    ),
    Op("torch.ravel T.ravel", "input", t.flatten, "p.ravel()"),
    Op("torch.unflatten T.unflatten", "input dim sizes", t.blur, "p.unflatten(2, (2, 2))"),
    Op("T.expand", "input *sizes", t.expand, "p.expand(5, 2, 3, 4)"),
    Op("T.expand_as", "input other", t.expand, "p[0].expand_as(x)"),
    Op("T.view_as T.reshape_as", "input other", t.blur, "p.view_as(x)"),
    Op("T.repeat T.tile", "input *dims", t.repeat, "p.repeat(2, 1, 1)"),
    Op("torch.tile", "input dims", t.repeat, "torch.tile(p, (2, 1, 1))"),
    Op("torch.repeat_interleave T.repeat_interleave", "input repeats dim", t.repeated, "p.repeat_interleave(2, dim=0)"),
    Op("torch.flip T.flip", "input *dims", t.reordered, "p.flip(-1)"),
    Op("torch.roll T.roll", "input shifts dims", t.roll, "p.roll(1, -1)"),
    Op("torch.sort T.sort", "input dim descending", t.with_indices(t.sort), "p.sort(-1).values"),
    # --- takes part of it
    Op("torch.gather T.gather", "input dim index", t.chosen, "p.gather(2, i.unsqueeze(2))"),
    Op("torch.take_along_dim T.take_along_dim", "input index dim", t.chosen, "p.take_along_dim(i.unsqueeze(2), 2)"),
    Op(
        "torch.index_select T.index_select",
        "input dim index",
        t.chosen,
        "torch.randn(2, 3, 4).softmax(2).index_select(2, torch.tensor([0, 1]))",
    ),
    Op("torch.narrow T.narrow", "input dim start length", t.chosen, "p.narrow(2, 0, 2)"),
    Op("torch.topk T.topk", "input k dim largest sorted", t.with_indices(t.topk), "p.topk(2, dim=2).values"),
    Op("torch.select T.select", "input dim index", t.picked, "p.select(2, 0)"),
    Op("torch.masked_select T.masked_select", "input mask", t.masked_select, "p.masked_select(m)"),
    Op("torch.take T.take", "input index", t.masked_select, "p.take(torch.tensor([0, 5]))"),
    Op("torch.chunk T.chunk torch.tensor_split T.tensor_split", "input chunks dim", t.pieces, "p.chunk(2, 0)[0]"),
    Op("torch.split T.split", "input split_size dim", t.pieces, "p.split(1, dim=1)[0]"),
    Op("torch.unbind T.unbind", "input dim", t.pieces, "p.unbind(0)[0]"),
    Op("torch.diagonal T.diagonal torch.diag T.diag", "input offset dim1 dim2", t.diagonal, "p.diagonal(0, 1, 2)"),
    Op("torch.tril T.tril", "input diagonal", t.blur, "p.tril()"),
    Op("torch.triu T.triu", "input diagonal", t.blur, "p.triu()"),
    # --- joins several
    Op("torch.cat torch.concat torch.concatenate", "tensors dim", t.concatenate, "torch.cat([p, q], dim=0)"),
    Op("torch.stack", "tensors dim", t.stack, "torch.stack([p, q], 0)"),
    Op("torch.vstack torch.row_stack", "tensors", t.concatenate, "torch.vstack([p, q])"),
    Op("torch.hstack torch.dstack torch.column_stack", "tensors", t.joined_anyhow, "torch.hstack([p, q])"),
    Op("torch.where", "condition input other", t.where, "torch.where(m, p, q)"),
    Op("T.where", "input condition other", t.where, "p.where(m, q)"),
    Op("torch.lerp T.lerp", "input end weight", t.lerp, "torch.lerp(p, q, 0.3)"),
    Op("torch.logaddexp T.logaddexp", "input other", t.logaddexp, "torch.logaddexp(l, k)"),
    # --- writes into it
    Op("torch.masked_fill T.masked_fill", "input mask value", t.masked_fill, "p.masked_fill(m, 0.0)"),
    Op(
        "torch.index_fill T.index_fill",
        "input dim index value",
        t.masked_fill,
        "l.index_fill(2, torch.tensor([0]), -1e9)",
    ),
    Op("torch.masked_scatter T.masked_scatter", "input mask source", t.masked_fill, "p.masked_scatter(m, q)"),
    Op(
        "torch.scatter T.scatter",
        "input dim index src value",
        t.scatter,
        "torch.zeros(2, 3, 4).scatter_(2, i.unsqueeze(2), 1.0)",
    ),
    Op(
        "torch.scatter_add T.scatter_add torch.index_add T.index_add",
        "input dim index src",
        t.accumulated,
        "p.scatter_add(2, i.unsqueeze(2), q)",
    ),
    Op(
        "torch.index_copy T.index_copy",
        "input dim index src",
        t.masked_fill,
        "p.index_copy(0, torch.tensor([1]), q[:1])",
    ),
    Op("torch.index_put T.index_put", "input indices values", t.masked_fill, "p.index_put((torch.tensor([0]),), q[0])"),
    Op("T.fill torch.fill", "input value", t.fill_with, "torch.zeros(2, 3).fill_(0.25)"),
    Op("T.zero", "input", t.fill_with, "x.clone().zero_()"),
    Op("T.copy", "input src", t.copied, "x.clone().copy_(p)"),
    # --- reduces it
    Op("torch.sum T.sum", "input dim keepdim dtype", t.reduce("sum"), "p.sum(1)"),
    Op("torch.nansum T.nansum", "input dim keepdim dtype", t.reduce("sum"), "p.nansum(1)"),
    Op(
        "torch.mean T.mean torch.nanmean T.nanmean",
        "input dim keepdim dtype",
        t.reduce("mean"),
        "torch.randn(2, 3, 4).softmax(2).mean(0)",
    ),
    Op("torch.amax T.amax torch.amin T.amin", "input dim keepdim", t.reduce("max"), "p.amax(0)"),
    Op("torch.max T.max torch.min T.min", "input dim keepdim", t.extreme, "p.max(1).values"),
    Op("torch.median T.median torch.nanmedian T.nanmedian", "input dim keepdim", t.extreme, "p.median(1).values"),
    Op("torch.mode T.mode", "input dim keepdim", t.extreme_of_last, "p.mode().values"),
    Op("torch.kthvalue T.kthvalue", "input k dim keepdim", t.extreme_of_last, "p.kthvalue(2, 1).values"),
    Op(
        "torch.logsumexp T.logsumexp torch.special.logsumexp", "input dim keepdim", t.logsumexp, "torch.logsumexp(l, 0)"
    ),
    Op("torch.norm T.norm", "input p dim keepdim dtype", t.norm, "p.norm(p=1, dim=2, keepdim=True)"),
    Op("torch.prod T.prod torch.std T.std torch.var T.var", "input dim keepdim", t.lose, "p.std(1)"),
    Op("torch.argmax T.argmax torch.argmin T.argmin", "input dim keepdim", t.argmax, "p.argmax(-1)"),
    Op("torch.argsort T.argsort", "input dim descending", t.argsort, "p.argsort(-1)"),
    Op("torch.multinomial T.multinomial", "input num_samples replacement", t.argsort, "torch.multinomial(p[0], 2)"),
    Op("torch.bincount T.bincount torch.histc T.histc", "input bins", t.counts, "torch.bincount(i.flatten())"),
    # --- loses it
    Op("F.relu torch.relu T.relu F.relu6", "input inplace", t.nonnegative, "F.relu(l)"),
    Op("torch.abs T.abs torch.absolute T.absolute", "input", t.nonnegative, "torch.abs(x)"),
    Op("torch.square T.square F.softplus", "input", t.nonnegative, "torch.square(x)"),
    Op("torch.sqrt T.sqrt", "input", t.power, "p.sqrt()"),
    Op("torch.pow T.pow", "input exponent", t.power, "p.pow(2)"),
    Op(
        "F.leaky_relu F.elu F.gelu F.silu F.mish F.selu F.tanh torch.tanh T.tanh F.softsign",
        "input *rest",
        t.elementwise,
        "torch.tanh(l)",
    ),
    Op("F.glu F.threshold F.hardtanh F.hardswish", "input *rest", t.elementwise, "F.hardtanh(l)"),
    Op(
        "torch.cumsum T.cumsum torch.cumprod T.cumprod torch.logcumsumexp T.logcumsumexp",
        "input dim",
        t.elementwise,
        "p.cumsum(-1)",
    ),
    Op("torch.logit T.logit torch.special.logit", "input eps", t.elementwise, "torch.logit(p)"),
    Op(
        "torch.special.entr torch.round T.round torch.sign T.sign torch.floor torch.ceil T.sin T.cos",
        "input",
        t.elementwise,
        "torch.special.entr(p)",
    ),
    Op(
        "torch.reciprocal T.reciprocal torch.rsqrt T.rsqrt torch.erf T.erf",
        "input",
        t.elementwise,
        "torch.reciprocal(p)",
    ),
    Op("torch.xlogy T.xlogy torch.special.xlogy", "input other", t.pairwise, "torch.xlogy(p, p)"),
    Op(
        "F.dropout torch.dropout F.dropout2d F.alpha_dropout",
        "input p training inplace",
        t.dropout,
        "F.dropout(p, 0.5, training=False)",
    ),
    Op(
        "F.layer_norm F.batch_norm F.group_norm F.instance_norm F.rms_norm",
        "input *rest",
        t.elementwise,
        "F.layer_norm(p, (4,))",
    ),
    Op("F.pad", "input pad mode value", t.pad, "F.pad(p, (0, 1))"),
    Op(
        "F.interpolate F.avg_pool1d F.avg_pool2d F.max_pool1d F.max_pool2d F.adaptive_avg_pool2d",
        "input *rest",
        t.pool,
        "F.avg_pool1d(p, 2)",
    ),
    Op("torch.matmul T.matmul", "input other", t.product, "torch.matmul(p, x.transpose(1, 2))"),
    Op("torch.mm T.mm", "input mat2", t.product_of_rank(2), "torch.mm(p[0], x[0].t())"),
    Op("torch.bmm T.bmm", "input mat2", t.product_of_rank(3), "torch.bmm(p, x.transpose(1, 2))"),
    Op("torch.mv T.mv", "input vec", t.product_of_rank(1), "torch.mv(p[0], x[0, 0])"),
    Op("torch.einsum", "equation *operands", t.lose, "torch.einsum('btc,btc->bt', p, q)"),
    Op(
        "F.cosine_similarity torch.cdist F.pairwise_distance",
        "x1 x2 dim",
        t.similarity,
        "F.cosine_similarity(p, q, dim=-1)",
    ),
    Op("F.scaled_dot_product_attention", "query key value", t.lose, "F.scaled_dot_product_attention(x, x, x)"),
    Op(
        "F.cross_entropy F.nll_loss F.mse_loss F.l1_loss F.binary_cross_entropy",
        "input target *rest",
        t.lose,
        "F.mse_loss(p, q)",
    ),
    # --- raw scores
    Op("F.linear F.bilinear", "input weight bias", t.logits, "F.linear(x, torch.randn(6, 4, dtype=x.dtype))"),
    Op(
        "F.conv1d F.conv2d F.conv3d F.conv_transpose2d",
        "input weight bias *rest",
        t.logits,
        "F.conv1d(x, torch.randn(5, 3, 1, dtype=x.dtype))",
    ),
    # --- factories
    Op("torch.zeros", "*size", t.filled(0.0), "torch.zeros(2, 3)"),
    Op("torch.ones", "*size", t.filled(1.0), "torch.ones(2, 3)"),
    Op("torch.full", "size fill_value", t.filled(None), "torch.full((2, 4), 0.25)"),
    Op("torch.zeros_like", "input", t.filled(0.0), "torch.zeros_like(x)"),
    Op("torch.ones_like", "input", t.filled(1.0), "torch.ones_like(x)"),
    Op("T.new_zeros", "input *size", t.new_filled(0.0), "x.new_zeros(2, 5)"),
    Op("T.new_ones", "input *size", t.new_filled(1.0), "x.new_ones((2, 5))"),
    Op("torch.full_like", "input fill_value", t.filled(None), "torch.full_like(x, 0.25)"),
    Op("T.new_full", "input size fill_value", t.new_full, "x.new_full((2, 4), 0.25)"),
    Op("torch.empty torch.empty_like T.new_empty", "input *size", t.uninitialized, "torch.empty_like(x)"),
    Op("torch.rand", "*size", t.uniform_noise, "torch.rand(2, 3)"),
    Op("torch.randn", "*size", t.noise, "torch.randn(2, 3)"),
    Op("torch.rand_like", "input", t.uniform_noise_like, "torch.rand_like(x)"),
    Op("torch.randn_like", "input", t.noise_like, "torch.randn_like(x)"),
    Op("torch.normal", "mean std size", t.lose, "torch.normal(0.0, 1.0, (2, 3))"),
    Op("torch.randint torch.randperm torch.arange", "*size", t.random_indices, "torch.randint(0, 4, (2, 3))"),
    Op("torch.eye", "n m", t.identity_matrix, "torch.eye(4)"),
    Op("torch.tensor", "data dtype device requires_grad", t.literal, "torch.tensor([[0.3, 0.7], [0.4, 0.6]])"),
    Op("torch.Tensor torch.FloatTensor torch.DoubleTensor", "*size", t.legacy_tensor, "torch.Tensor([[0, 1], [1, 0]])"),
    Op("torch.LongTensor torch.IntTensor", "*size", t.random_indices, "torch.LongTensor([1, 2])"),
    Op("T.long T.int", "input", t.to_integers, "i.long()"),
    # --- fills or changes it in place, to something of which nothing is proved
    Op(
        "T.uniform T.normal T.log_normal T.bernoulli T.exponential T.geometric T.cauchy T.random",
        "input",
        t.scrambled,
        "p.uniform_()",
    ),
    Op(
        "T.addcmul T.addcdiv T.addmm T.addmv T.addr T.addbmm T.baddbmm T.renorm T.put T.fill_diagonal T.scatter_reduce "
        "T.index_reduce T.resize T.resize_as",
        "input *rest",
        t.lose,
        "p.addcmul_(q, q)",
    ),
    Op(
        "T.floor T.ceil T.trunc T.fix T.frac T.fmod T.remainder T.floor_divide T.float_power T.copysign T.ldexp "
        "T.heaviside T.hypot T.nextafter T.sgn",
        "input *rest",
        t.lose,
        "p.floor_()",
    ),
    Op(
        "T.eq T.ne T.not_equal T.lt T.less T.le T.less_equal T.gt T.greater T.ge T.greater_equal",
        "input other",
        t.lose,
        "p.ge_(0.2)",
    ),
    Op(
        "T.acos T.arccos T.acosh T.arccosh T.asin T.arcsin T.asinh T.arcsinh T.atan T.arctan T.atanh T.arctanh "
        "T.atan2 T.arctan2 T.sinh T.cosh T.tan T.sinc",
        "input *rest",
        t.lose,
        "p.sinh_()",
    ),
    Op(
        "T.erfc T.erfinv T.digamma T.lgamma T.mvlgamma T.polygamma T.igamma T.igammac T.i0 T.deg2rad T.rad2deg",
        "input *rest",
        t.lose,
        "p.erfinv_()",
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
    Mod("Softmax", "dim", t.normalize(Space.PROBS), "torch.nn.Softmax(dim=2)(x)"),
    Mod("LogSoftmax", "dim", t.normalize(Space.LOG_PROBS), "torch.nn.LogSoftmax(2)(x)"),
    Mod("Softmin", "dim", t.normalize(Space.PROBS, sign=-1), "torch.nn.Softmin(1)(x)"),
    Mod("Softmax2d", "", t.softmax2d, "torch.nn.Softmax2d()(torch.randn(2, 5, 3, 4))"),
    Mod("Sigmoid", "", t.sigmoid(Space.PROBS), "torch.nn.Sigmoid()(x)"),
    Mod("Hardsigmoid", "inplace", t.sigmoid(Space.PROBS), "torch.nn.Hardsigmoid()(x)"),
    Mod("LogSigmoid", "", t.sigmoid(Space.LOG_PROBS), "torch.nn.LogSigmoid()(x)"),
    Mod("Identity", "", t.keep, "torch.nn.Identity()(p)"),
    Mod("Linear", "in_features out_features bias", t.logits, "torch.nn.Linear(4, 6).double()(x)"),
    Mod(
        "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d",
        "in_channels out_channels kernel_size",
        t.logits,
        "torch.nn.Conv1d(3, 5, 1).double()(x)",
    ),
    Mod("LazyLinear LazyConv2d", "out_features", t.logits, "torch.nn.LazyLinear(6).double()(x)"),
    Mod("Bilinear", "in1_features in2_features out_features", t.logits, "torch.nn.Bilinear(4, 4, 6).double()(x, x)"),
    Mod("Embedding", "num_embeddings embedding_dim", t.embedding, "torch.nn.Embedding(9, 5)(i)"),
    Mod("ReLU ReLU6", "inplace", t.nonnegative, "torch.nn.ReLU()(l)"),
    Mod("Softplus", "beta threshold", t.nonnegative, "torch.nn.Softplus()(l)"),
    Mod("GELU ELU SELU SiLU Mish Tanh LeakyReLU Hardswish Hardtanh", "", t.elementwise, "torch.nn.Tanh()(l)"),
    Mod("Dropout Dropout1d Dropout2d AlphaDropout", "p inplace", t.dropout, "torch.nn.Dropout(0.5)(p)"),
    Mod(
        "LayerNorm BatchNorm1d BatchNorm2d GroupNorm InstanceNorm2d RMSNorm PReLU",
        "shape",
        t.learned,
        "torch.nn.LayerNorm(4).double()(p)",
    ),
    Mod("Flatten", "start_dim end_dim", t.module_flatten, "torch.nn.Flatten()(p)"),
    Mod(
        "AvgPool1d AvgPool2d MaxPool1d MaxPool2d AdaptiveAvgPool2d AdaptiveMaxPool2d Upsample",
        "size",
        t.pool,
        "torch.nn.AvgPool1d(2)(p)",
    ),
    Mod("CosineSimilarity", "dim eps", t.similarity, "torch.nn.CosineSimilarity(dim=-1)(p, q)", call="x1 x2"),
    Mod(
        "MultiheadAttention",
        "embed_dim num_heads dropout",
        t.attention,
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
