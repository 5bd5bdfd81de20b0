/// Members in the order of their keys' first occurrence.
///
/// A repeated key keeps its place and takes the last value.
///
/// Keys are compared by their UTF-8. Two canonically equivalent spellings are two members, as in
/// Python; Swift's `String` calls them equal.
public struct JSONObject: Sendable, Equatable {
    /// Members in order.
    public private(set) var members: [(key: String, value: JSONValue)] = []

    /// The index of each key's member; empty while there are few enough members for a linear
    /// search.
    private var positions: [[UInt8]: Int] = [:]

    /// An object without members.
    public init() {}

    /// An object of `members`, in their order.
    public init(_ members: some Sequence<(String, JSONValue)>) {
        for (key, value) in members { self[key] = value }
    }

    /// Names in order.
    public var keys: [String] { members.map(\.key) }

    /// The value named `key`; nil if there is none.
    ///
    /// Assigning nil stores `null`.
    public subscript(key: String) -> JSONValue? {
        get { position(of: key).map { members[$0].value } }
        set {
            let value = newValue ?? .null
            if let position = position(of: key) {
                members[position].value = value
                return
            }
            members.append((key, value))
            if members.count == Self.searched + 1 {
                for (i, member) in members.enumerated() { positions[Array(member.key.utf8)] = i }
            } else if members.count > Self.searched {
                positions[Array(key.utf8)] = members.count - 1
            }
        }
    }

    /// Up to this many members are searched one by one.
    private static let searched = 8

    private func position(of key: String) -> Int? {
        members.count > Self.searched
            ? positions[Array(key.utf8)]
            : members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
    }

    /// The same members with equal values, in any order.
    public static func == (a: JSONObject, b: JSONObject) -> Bool {
        a.members.count == b.members.count
            && a.members.allSatisfy { member in b[member.key] == .some(member.value) }
    }
}
