pragma Singleton

import QtQml

// Small line drawings on a field of 24 by 24.
QtObject {
    readonly property string back: "M15 5 L8 12 L15 19"
    readonly property string bell: "M4 17 H20 M6 17 A6 6.5 0 0 1 18 17 M12 10.5 V8.5 M10.5 8.5 H13.5 M4.5 19.5 H19.5"
    readonly property string card: "M3.5 6 H20.5 V18 H3.5 Z M6.5 14.5 H11 M6.5 9 H9.5 V12 H6.5 Z M15 9 H17.5"
    readonly property string clock: "M12 3.5 A8.5 8.5 0 1 1 11.99 3.5 M12 7.5 V12 L15 14"
    readonly property string code: "M4 4 H10 V10 H4 Z M14 4 H20 V10 H14 Z M4 14 H10 V20 H4 Z M14 14 H16 M20 14 V17 M14 17.5 V20 M17 20 H20 M17 17 V17.2"
    readonly property string contrast: "M12 3.5 A8.5 8.5 0 1 1 11.99 3.5 M12 3.5 V20.5 M12 8 H18.5 M12 12 H20.3 M12 16 H18.5"
    readonly property string erase: "M9 6 H20.5 V18 H9 L3.5 12 Z M12.2 9.5 L17 14.5 M17 9.5 L12.2 14.5"
    readonly property string face: "M12 3.2 C16.5 3.2 18.6 6.8 18.3 11 C18 16.5 15.2 20.8 12 20.8 C8.8 20.8 6 16.5 5.7 11 C5.4 6.8 7.5 3.2 12 3.2 M9.2 10.6 V11.4 M14.8 10.6 V11.4 M9.6 15 C11 16.3 13 16.3 14.4 15"
    readonly property string help: "M12 3.5 A8.5 8.5 0 1 1 11.99 3.5 M9.4 9.6 C9.4 6.6 14.6 6.6 14.6 9.6 C14.6 11.6 12 11.6 12 13.8 M12 16.6 V16.8"
    readonly property string key: "M8 8.2 A3.8 3.8 0 1 1 7.99 8.2 M11.8 12 H20.5 V15 M16.8 12 V14.4"
    readonly property string language: "M12 3.5 A8.5 8.5 0 1 1 11.99 3.5 M3.5 12 H20.5 M12 3.5 C7.2 8 7.2 16 12 20.5 C16.8 16 16.8 8 12 3.5"
    readonly property string no: "M7 7 L17 17 M17 7 L7 17"
    readonly property string person: "M12 4 A3.6 3.6 0 1 1 11.99 4 M5 20 C5 13.6 19 13.6 19 20"
    readonly property string phone: "M7.5 3 H16.5 V21 H7.5 Z M11 18.3 H13"
    readonly property string type: "M3.5 18.5 L8.5 5.5 L13.5 18.5 M5.4 14 H11.6 M14.5 18.5 L17.6 11 L20.7 18.5 M15.6 16 H19.6"
    readonly property string yes: "M5 12.5 L10 17.5 L19.5 7"
}
