pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

Page {
    id: root

    required property FieldsViewModel viewModel

    heading: viewModel.heading
    lead: viewModel.lead
    pictureHeight: Theme.panelHeight * 0.18

    picture: Picture {
        anchors.horizontalCenter: parent.horizontalCenter
        fill: "M100 46 A20 20 0 1 1 99.99 46 Z M62 66 A15 15 0 1 1 61.99 66 Z M138 66 A15 15 0 1 1 137.99 66 Z"
        height: parent ? parent.height : 0
        strokes: "M100 46 A20 20 0 1 1 99.99 46 M66 152 C66 104 134 104 134 152 M28 148 C28 118 48 106 70 110 M172 148 C172 118 152 106 130 110"
        thin: "M62 66 A15 15 0 1 1 61.99 66 M138 66 A15 15 0 1 1 137.99 66 M22 160 H178"
        width: height
    }

    Flickable {
        id: list

        readonly property int columns: 2
        // The last row that is seen is cut in half, whatever the size of the letters: there is more below.
        readonly property real least: Math.max(Theme.mm * 20, Theme.lead * 1.4 + Theme.gap) + Theme.gap
        readonly property real pitch: height / (Math.max(1, Math.floor(height / least - 0.5)) + 0.5)

        anchors.fill: parent
        boundsBehavior: Flickable.StopAtBounds
        clip: true
        contentHeight: grid.height
        objectName: "ethnicityList"

        Grid {
            id: grid

            columns: list.columns
            spacing: Theme.gap
            width: list.width - Theme.gap * 2

            Repeater {
                model: root.viewModel.choices

                Touch {
                    id: choice

                    required property string code
                    required label

                    height: list.pitch - grid.spacing
                    objectName: "ethnicityRow_" + code
                    scrolls: true
                    width: (grid.width - grid.spacing * (list.columns - 1)) / list.columns

                    onTapped: root.viewModel.choose(code)

                    Rectangle {
                        anchors.fill: parent
                        border.color: Theme.hairline
                        border.width: Theme.hair
                        color: choice.pressed ? Theme.accentSoft : Theme.surface
                        radius: Theme.radius
                    }

                    Words {
                        id: words

                        anchors.centerIn: parent
                        font.pixelSize: Theme.lead
                        horizontalAlignment: Text.AlignHCenter
                        silent: true
                        text: choice.label
                        width: parent.width - Theme.gap
                    }
                }
            }
        }

        Rectangle {
            color: Theme.muted
            height: list.height * list.visibleArea.heightRatio
            parent: list
            radius: width / 2
            width: Theme.mm
            x: list.width - width
            y: list.height * list.visibleArea.yPosition
        }
    }
}
