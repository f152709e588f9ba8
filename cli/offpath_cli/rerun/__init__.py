"""The command that makes a traced prediction again."""
