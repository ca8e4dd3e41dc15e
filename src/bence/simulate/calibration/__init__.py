"""How well virtual patients reproduce trials: frozen targets, the fit on the training arms, and the score on all others."""
