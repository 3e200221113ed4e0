"""Classes of edges by labels, on frozen embeddings of edges: the protocol `edges`.

A logistic regression (`genurl_graph.evaluation.probe`) learns the classes of some edges and is judged by micro and
macro F1 on others. Two splits: the one that came with the edges, or a random one; and blocks of space, of which whole
ones are held out, because neighbours in space reveal labels in the first.
"""
