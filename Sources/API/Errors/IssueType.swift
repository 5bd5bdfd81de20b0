internal import JSON

/// What can be wrong with a request's JSON, in pydantic's names and words.
enum IssueType {
    case missing
    case invalidJSON(String)
    case notAnObject
    case notAList
    case notAString
    case notANumber
    case notANumberText
    case notUnicode
    case belowZero
    // What follows the reference lets through; see `DeliberateDifference`.
    case notFinite
    case wrongRowLength(expected: Int, given: Int)
    case tooManyItems(given: Int, limit: Int)
    case tooLarge

    var name: String {
        switch self {
        case .missing: "missing"
        case .invalidJSON: "json_invalid"
        case .notAnObject: "model_attributes_type"
        case .notAList: "list_type"
        case .notAString: "string_type"
        case .notANumber: "float_type"
        case .notANumberText: "float_parsing"
        case .notUnicode: "string_unicode"
        case .belowZero: "greater_than_equal"
        case .notFinite: "finite_number"
        case .wrongRowLength, .tooLarge: "value_error"
        case .tooManyItems: "too_long"
        }
    }

    var message: String {
        switch self {
        case .missing: "Field required"
        case .invalidJSON: "JSON decode error"
        case .notAnObject: "Input should be a valid dictionary or object to extract fields from"
        case .notAList: "Input should be a valid list"
        case .notAString: "Input should be a valid string"
        case .notANumber: "Input should be a valid number"
        case .notANumberText:
            "Input should be a valid number, unable to parse string as a number"
        case .notUnicode:
            "Input should be a valid string, unable to parse raw data as a unicode string"
        case .belowZero: "Input should be greater than or equal to 0"
        case .notFinite: "Input should be a finite number"
        case .wrongRowLength(let expected, let given):
            "Value error, expected \(expected) values, got \(given)"
        case .tooManyItems(let given, let limit):
            "List should have at most \(limit) items after validation, not \(given)"
        case .tooLarge: "Value error, the values are too large to denoise"
        }
    }

    var context: JSONValue? {
        switch self {
        case .invalidJSON(let error): ["error": .string(error)]
        case .belowZero: ["ge": 0.0]
        case .tooManyItems(let given, let limit):
            [
                "field_type": "List", "max_length": .integer(limit),
                "actual_length": .integer(given),
            ]
        default: nil
        }
    }
}
