"""Transfer functions: what an operation does to what is known of a tensor.

Behaviour is described once here, by kind of operation; the catalogue (torch_ops) says which torch callable is of which
kind. All functions are pure: facts in, facts out.
"""
