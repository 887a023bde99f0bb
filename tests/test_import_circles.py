"""No module needs, to be imported, one that needs it: what is imported only to be named in annotations does not count."""

from __future__ import annotations

import grimp
import networkx as nx


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("cloudsim", "backends", "server", exclude_type_checking_imports=True, cache_dir=None)
    imports = nx.DiGraph(
        (module, imported) for module in graph.modules for imported in graph.find_modules_directly_imported_by(module)
    )
    assert imports.number_of_edges() > 1000
    assert [sorted(circle) for circle in nx.strongly_connected_components(imports) if len(circle) > 1] == []
