/// First in, first out, in constant time at both ends.
struct Queue<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var first: Element? { isEmpty ? nil : elements[head] }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[head].take()
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: elements.count <= 1_024)
            head = 0
        } else if head >= 64, head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Changes the first element in place.
    mutating func withFirst<R>(_ change: (inout Element) -> R) -> R? {
        guard !isEmpty, var element = elements[head].take() else { return nil }
        defer { elements[head] = element }
        return change(&element)
    }

    func contains(where isWanted: (Element) -> Bool) -> Bool {
        elements[head...].contains { $0.map(isWanted) ?? false }
    }

    /// Empties the queue, oldest first.
    mutating func drain() -> [Element] {
        defer { self = Queue() }
        return elements[head...].compactMap { $0 }
    }
}
