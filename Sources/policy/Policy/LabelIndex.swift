// SPDX-License-Identifier: Apache-2.0

/// Who has which label, by number: finds those whom a selector can mean without asking everybody.
public struct LabelIndex: Sendable {
    private var numbers: [String: [String: [Int]]] = [:]

    /// An index of nobody.
    public init() {}

    /// Enters labels under a number, which is not smaller than the one before; a number that stands for several things has the labels
    /// of each.
    public mutating func enter(_ labels: [String: String], as number: Int) {
        for (key, value) in labels where numbers[key]?[value]?.last != number {
            numbers[key, default: [:]][value, default: []].append(number)
        }
    }

    /// The numbers outside of which an expression matches nothing, ascending; `nil` where it may match whoever has no label that it names.
    public func candidates(for expression: Selector.Expression) -> [Int]? {
        guard let named = named(by: expression) else { return nil }
        let found = having(any: named)
        guard case .and(let parts) = expression else { return found }
        return parts.reduce(found) { found, part in
            guard case .equals(let key, let value) = part, let others = numbers[key]?[value], others.count >= found.count else {
                return found
            }
            return others.common(with: found)
        }
    }

    /// Labels of which every match has at least one, with one of its values: those that the fewest have. `nil` where an expression
    /// matches things that it names no label of.
    private func named(by expression: Selector.Expression) -> [(key: String, values: [String])]? {
        switch expression {
        case .equals(let key, let value): [(key, [value])]
        case .isIn(let key, let values): [(key, values)]
        case .and(let parts): parts.compactMap { named(by: $0) }.min { count($0) < count($1) }
        case .or(let parts): all(parts)
        default: nil
        }
    }

    private func all(_ parts: [Selector.Expression]) -> [(key: String, values: [String])]? {
        var labels: [(key: String, values: [String])] = []
        for part in parts {
            guard let named = named(by: part) else { return nil }
            labels += named
        }
        return labels
    }

    private func count(_ labels: [(key: String, values: [String])]) -> Int {
        labels.reduce(0) { sum, label in sum + label.values.reduce(0) { $0 + (numbers[label.key]?[$1]?.count ?? 0) } }
    }

    /// The numbers that have one of these labels, ascending.
    private func having(any labels: [(key: String, values: [String])]) -> [Int] {
        let lists = labels.flatMap { label in label.values.compactMap { numbers[label.key]?[$0] } }
        return lists.count == 1 ? lists[0] : Set(lists.joined()).sorted()
    }
}

extension [Int] {
    /// The numbers of a shorter ascending list that this ascending one holds as well.
    fileprivate func common(with shorter: [Int]) -> [Int] {
        var low = 0
        return shorter.filter { number in
            var high = count
            while low < high {
                let middle = (low + high) / 2
                if self[middle] < number { low = middle + 1 } else { high = middle }
            }
            return low < count && self[low] == number
        }
    }
}
