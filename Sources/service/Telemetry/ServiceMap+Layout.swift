// SPDX-License-Identifier: Apache-2.0

extension ServiceMap {
    /// Where the nodes of a picture stand: in columns from those who open connections to those who answer them. Every node has a row
    /// of its own in its column and a column is as wide as its widest name, so that no name can touch another.
    struct Layout {
        /// A node's box, in pixels.
        struct Box: Hashable {
            var x, y, width, height: Int
        }

        /// Pixels a sign takes at most in the picture's font, the height of a box, and the room between boxes and columns.
        static let (sign, height, gap, aisle, margin) = (8, 24, 14, 140, 24)

        /// A box for each node, in the nodes' order.
        var boxes: [Box]
        /// The picture's size.
        var width, height: Int

        init(_ map: ServiceMap) {
            let columns = Self.columns(map)
            boxes = Array(repeating: Box(x: 0, y: 0, width: 0, height: Self.height), count: map.nodes.count)
            let tallest = columns.map(\.count).max() ?? 0
            height = 2 * Self.margin + max(1, tallest) * (Self.height + Self.gap)
            var x = Self.margin
            for column in columns {
                let width = (column.map { map.nodes[$0].title.count }.max() ?? 0) * Self.sign + 2 * Self.gap
                let top = (height - column.count * (Self.height + Self.gap)) / 2
                for (row, node) in column.enumerated() {
                    boxes[node] = Box(x: x, y: top + row * (Self.height + Self.gap), width: width, height: Self.height)
                }
                x += width + Self.aisle
            }
            width = max(x - Self.aisle, Self.margin) + Self.margin
        }

        /// Rows of a column at most before a second one is begun beside it: two hundred nodes still fit on a sheet.
        private static let rows = 40

        /// The nodes of each column: a node stands behind all that open connections to it, as far as they do not go round in a ring,
        /// and beside those it talks to.
        private static func columns(_ map: ServiceMap) -> [[Int]] {
            let numbers = Dictionary(uniqueKeysWithValues: map.nodes.enumerated().map { ($1.name, $0) })
            let edges = map.links.compactMap { link -> (from: Int, to: Int)? in
                guard let from = numbers[link.source], let to = numbers[link.destination], from != to else { return nil }
                return (from, to)
            }
            var successors = Array(repeating: [Int](), count: map.nodes.count)
            var predecessors = successors
            for edge in edges {
                successors[edge.from].append(edge.to)
                predecessors[edge.to].append(edge.from)
            }
            let ranks = ranks(successors)
            var columns = Array(repeating: [Int](), count: (ranks.max() ?? -1) + 1)
            for node in map.nodes.indices { columns[ranks[node]].append(node) }
            for column in columns.indices.dropFirst() {
                let place = Dictionary(uniqueKeysWithValues: columns[column - 1].enumerated().map { ($1, Double($0)) })
                let centres = columns[column].map { node -> (node: Int, centre: Double) in
                    let rows = predecessors[node].compactMap { place[$0] }
                    return (node, rows.isEmpty ? .infinity : rows.reduce(0, +) / Double(rows.count))
                }
                columns[column] = centres.sorted { ($0.centre, $0.node) < ($1.centre, $1.node) }.map(\.node)
            }
            return columns.flatMap { column in
                stride(from: 0, to: column.count, by: rows).map { Array(column[$0..<min($0 + rows, column.count)]) }
            }
        }

        /// The longest way to each node from one that nobody talks to, edges that close a ring left out. The walk keeps its own stack:
        /// the chain may be as long as there are nodes.
        private static func ranks(_ successors: [[Int]]) -> [Int] {
            var state = Array(repeating: 0, count: successors.count)
            var order: [Int] = []
            var forward = Array(repeating: [Int](), count: successors.count)
            for start in successors.indices where state[start] == 0 {
                var stack = [(node: start, next: 0)]
                state[start] = 1
                while let (node, next) = stack.last {
                    guard next < successors[node].count else {
                        state[node] = 2
                        order.append(node)
                        stack.removeLast()
                        continue
                    }
                    stack[stack.count - 1].next += 1
                    let other = successors[node][next]
                    // An edge to a node that is still on the stack would close a ring.
                    if state[other] != 1 { forward[node].append(other) }
                    if state[other] == 0 {
                        state[other] = 1
                        stack.append((other, 0))
                    }
                }
            }
            var ranks = Array(repeating: 0, count: successors.count)
            for node in order.reversed() {
                for other in forward[node] { ranks[other] = max(ranks[other], ranks[node] + 1) }
            }
            return ranks
        }
    }
}

extension ServiceMap.Node {
    /// The text in its box.
    var title: String { members > 1 ? "\(name) (\(members))" : name }
}
