import QtQuick
import Kiosk.ViewModels

Touch {
    id: root

    property string path
    property bool main: false

    opacity: available ? 1 : 0.4

    Rectangle {
        anchors.fill: parent
        border.color: root.main ? Theme.accent : Theme.hairline
        border.width: Theme.hair
        color: root.main ? (root.pressed ? Theme.accentPressed : Theme.accent) : (root.pressed ? Theme.accentSoft : Theme.surface)
        radius: Theme.radius
    }

    Words {
        anchors.centerIn: parent
        color: root.main ? Theme.accentInk : Theme.ink
        font.pixelSize: root.main ? Theme.lead : Theme.heading
        strong: root.main
        text: root.label
        visible: root.path === ""
        wrapMode: Text.NoWrap
    }

    Glyph {
        anchors.centerIn: parent
        path: root.path
        tone: Theme.ink
        visible: root.path !== ""
    }
}
