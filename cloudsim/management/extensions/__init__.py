"""Extensions: programs of the operator's that the cloud calls."""
