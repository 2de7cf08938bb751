import QtQuick
import Kiosk.ViewModels

// One verb. Main: the accent's fill. Else: surface with an outline in its ink. Not available: no edge, quiet, but readable.
Touch {
    id: root

    property bool main: false
    property bool large: false
    property color tone: Theme.accent
    readonly property color ink: available ? (main ? Theme.accentInk : tone) : Theme.off

    implicitHeight: Math.max(Theme.button * (large ? 1.4 : 1), column.implicitHeight + Theme.gap * 2)
    implicitWidth: Theme.button * 4

    Rectangle {
        anchors.fill: parent
        border.color: root.tone
        border.width: root.main || !root.available ? 0 : Theme.hair
        color: !root.available ? Theme.offGround : root.main ? (root.pressed ? Theme.accentPressed : root.tone) : (root.pressed ? Theme.accentSoft : Theme.surface)
        radius: Theme.radius
    }

    Column {
        id: column

        anchors.left: parent.left
        anchors.leftMargin: Theme.gap
        anchors.right: parent.right
        anchors.rightMargin: Theme.gap
        anchors.verticalCenter: parent.verticalCenter
        spacing: Theme.gap * 0.5

        Words {
            color: root.ink
            font.pixelSize: root.large ? Theme.heading : Theme.lead
            horizontalAlignment: Text.AlignHCenter
            strong: true
            silent: true
            text: root.label
            width: parent.width
        }

        Words {
            color: root.ink
            horizontalAlignment: Text.AlignHCenter
            silent: true
            text: root.hint
            visible: root.hint !== ""
            width: parent.width
        }
    }
}
