"""Classification of whole graphs by labels, on frozen embeddings: the protocol `graphs`.

Stratified 10 folds. A support vector machine, with an RBF kernel and a linear one apart, reads columns that are
standardised over all graphs, without labels; C out of 1e-3 to 1e3 is chosen for each fold by the other folds alone. A
logistic regression with 10 % of the labels is the semi-supervised figure.
"""
